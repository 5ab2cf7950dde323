// What becomes of a job that was asked for, until the service has answered?
//
// Nothing waits for it: any number may be under way. Each has a request_id that is kept until there
// is an answer, so that asking again, after an error or a reload, makes no second job.
import { create, fromJsonString, toJsonString, type JsonObject } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { useSyncExternalStore } from "react";

import { bounded, generation } from "@/api/clients";
import { isTransient, problemOf, type Problem } from "@/api/problem";
import { randomId } from "@/lib/random-id";
import {
  SubmitJobRequestSchema,
  type SubmitJobRequest,
} from "@/gen/mediagen/v1/generation_service_pb";
import type { WebhookTarget } from "@/gen/mediagen/v1/webhook_pb";
import type { Job, Priority } from "@/gen/mediagen/v1/job_pb";

export interface Submission {
  request: SubmitJobRequest;
  /** "unanswered": it was asked for, and whether it was heard is not known. */
  state: "sending" | "unanswered" | "refused";
  /** Why there was no answer, or what it was refused for. Not known after a reload. */
  problem: Problem | undefined;
  /** Whether it may be written down in this tab. */
  secret: boolean;
}

/** A job to ask for. */
export interface Wanted {
  model: string;
  prompt: string;
  input: JsonObject;
  labels?: Record<string, string>;
  priority?: Priority;
  timeout?: Duration | undefined;
  webhook?: WebhookTarget | undefined;
}

const TRIES = 4;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;
const MOST_KEPT = 20;
const KEPT = "mediagen.unanswered";

let current: readonly Submission[] = kept();
const listeners = new Set<() => void>();

/** Those that have no answer, in the order in which they were asked for. */
export function useSubmissions(): readonly Submission[] {
  return useSyncExternalStore(subscribe, () => current);
}

interface Manner {
  /** Whether it must not be written down, even in this tab. */
  secret?: boolean;
  /** Shows why it was refused, if it still can: else it is kept with those that have no answer. */
  showRefusal?: (problem: Problem) => boolean;
}

/**
 * Asks for a job, a few times if need be, and gives it; undefined where it was refused, or nothing
 * was heard. The same request as one that is unanswered is taken as that one, asked for again.
 */
export async function submit(
  wanted: Wanted,
  { secret = false, showRefusal }: Manner = {},
): Promise<Job | undefined> {
  const request = create(SubmitJobRequestSchema, wanted);
  const earlier = current.find((one) => one.state === "unanswered" && isSame(one.request, request));
  request.requestId = earlier?.request.requestId ?? randomId();
  return deliver({ request, state: "sending", problem: undefined, secret }, showRefusal);
}

/** Asks again for one that is unanswered. */
export async function resubmit({ request, secret }: Submission): Promise<Job | undefined> {
  return deliver({ request, state: "sending", problem: undefined, secret });
}

/** Forgets one. If it was heard, its job goes on. */
export function discard({ request }: Submission): void {
  put(request.requestId, undefined);
}

async function deliver(
  submission: Submission,
  showRefusal?: Manner["showRefusal"],
): Promise<Job | undefined> {
  const { request } = submission;
  put(request.requestId, submission);
  try {
    const job = await answered(request);
    put(request.requestId, undefined);
    return job;
  } catch (error) {
    const problem = problemOf(error);
    if (isTransient(error)) put(request.requestId, { ...submission, state: "unanswered", problem });
    else if (showRefusal?.(problem) === true) put(request.requestId, undefined);
    else put(request.requestId, { ...submission, state: "refused", problem });
    return undefined;
  }
}

async function answered(request: SubmitJobRequest): Promise<Job> {
  for (let tried = 1; ; tried += 1) {
    try {
      const { job } = await generation.submitJob(request, bounded());
      if (job === undefined) throw new Error("the answer has no job");
      return job;
    } catch (error) {
      if (tried === TRIES || !isTransient(error)) throw error;
      await pause(waitAfter(tried, problemOf(error).retryAfterMs));
    }
  }
}

function waitAfter(tried: number, asked: number | undefined): number {
  const wait = FIRST_WAIT_MS * 2 ** (tried - 1) * (0.5 + Math.random());
  return Math.min(Math.max(wait, asked ?? 0), LONGEST_WAIT_MS);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function put(requestId: string, submission: Submission | undefined): void {
  const at = current.findIndex((one) => one.request.requestId === requestId);
  const place = at === -1 ? current.length : at;
  current = current.toSpliced(place, 1, ...(submission === undefined ? [] : [submission]));
  keep();
  listeners.forEach((tell) => tell());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function isSame(a: SubmitJobRequest, b: SubmitJobRequest): boolean {
  return written({ ...a, requestId: "" }) === written({ ...b, requestId: "" });
}

function written(request: SubmitJobRequest): string {
  return toJsonString(SubmitJobRequestSchema, request);
}

// Of this tab only: another one has its own, and would ask for ours as well.
function keep(): void {
  const open = current.filter(({ secret, state }) => !secret && state !== "refused");
  try {
    sessionStorage.setItem(
      KEPT,
      JSON.stringify(open.slice(-MOST_KEPT).map(({ request }) => written(request))),
    );
  } catch {
    return;
  }
}

function kept(): Submission[] {
  try {
    const texts = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as string[];
    return texts.map((text) => ({
      request: fromJsonString(SubmitJobRequestSchema, text),
      state: "unanswered",
      problem: undefined,
      secret: false,
    }));
  } catch {
    return [];
  }
}
