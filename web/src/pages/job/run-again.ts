// How is a job asked for again: exactly as it ran, or with another seed?
import type { JsonObject } from "@bufbuild/protobuf";

import type { Wanted } from "@/form/submissions";
import type { Attempt } from "@/gen/mediagen/v1/attempt_pb";
import type { Job, JobRequest } from "@/gen/mediagen/v1/job_pb";

const VERSION = /^[0-9a-f]{64}$/;

/** The call whose result counts: the one that succeeded, else the newest. */
export function countingAttempt({ attempts }: Job): Attempt | undefined {
  return attempts.findLast(({ endTime, failure }) => endTime && !failure) ?? attempts.at(-1);
}

export interface Ran {
  /** undefined: nobody told a seed, or the model takes none. */
  seed: number | undefined;
  /** Chosen by the service, and not by the caller. */
  chosen: boolean;
  /** 64 hex digits. undefined: the provider does not say. */
  version: string | undefined;
}

/** The seed and the version that ran. */
export function ranWith(job: Job): Ran {
  const attempt = countingAttempt(job);
  const given = job.request?.input?.["seed"];
  const seed = typeof given === "number" ? given : attempt?.seed;
  const version = [attempt?.modelVersion, job.request?.modelVersion].find(
    (text) => text !== undefined && VERSION.test(text),
  );
  return { seed, chosen: typeof given !== "number" && seed !== undefined, version };
}

/** The same result once more, as far as the model keeps its word: seed and version as they ran. */
export function exactlyAgain(job: Job, request: JobRequest): Wanted {
  const { seed, version } = ranWith(job);
  const wanted = sameAgain(request);
  const [name = wanted.model] = wanted.model.split(":");
  return {
    ...wanted,
    ...(version !== undefined && { model: `${name}:${version}` }),
    ...(seed !== undefined && { input: { ...wanted.input, seed } }),
  };
}

/** Another result of the same inputs: the seed is left to chance. */
export function variation(request: JobRequest): Wanted {
  const wanted = sameAgain(request);
  return { ...wanted, input: without(wanted.input, "seed") };
}

function sameAgain(request: JobRequest): Wanted {
  const { input = {}, labels, model, priority, prompt, timeout } = request;
  return { model, prompt, input, labels, priority, timeout };
}

function without(input: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(input).filter(([key]) => key !== name));
}
