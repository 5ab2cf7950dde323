// How does another page open the form with something in it? By a URL: these functions write them,
// and `readPrefill` reads them on the page that has the form.
import type { JsonObject } from "@bufbuild/protobuf";

import type { Job, JobRequest } from "@/gen/mediagen/v1/job_pb";
import { openInput } from "@/jobs/secrets";

/** What becomes of the seed of the job that is taken up again. */
export type SeedWish =
  /** As it was asked for: given or left out. */
  | "as-given"
  /** The one that ran, whoever chose it: the same picture again, where the model keeps its word. */
  | "as-ran"
  /** Another one, of the model's choice. */
  | "new";

/** The form, filled as it was for this job: for remix ("as-given") and vary ("new"). */
export function remixPath(jobId: string, seed: SeedWish = "as-given"): string {
  return path({ remix: jobId, ...(seed !== "as-given" && { seed }) });
}

/**
 * The form with this file as an input: `artifactReference(...)`, or "upload:…", or an https URL.
 * Without `to` it goes to the first input that takes such a file, without `model` to the model in
 * use; a model that takes no file says so.
 */
export function useAsInputPath(reference: string, to?: string, model?: string): string {
  return path({ ...(model && { model }), input: reference, ...(to && { to }) });
}

/** What an input says to use a result of a job. */
export function artifactReference(jobId: string, index: number): string {
  return `artifact:${jobId}/${index}`;
}

/** The form for this model. */
export function modelPath(model: string): string {
  return path({ model });
}

function path(params: Record<string, string>): string {
  return `/?${new URLSearchParams(params).toString()}`;
}

/** What the URL of the form asks for, beside the model. */
export type Prefill =
  | { kind: "remix"; jobId: string; seed: SeedWish }
  | { kind: "input"; reference: string; to: string | undefined };

export function readPrefill(params: URLSearchParams): Prefill | undefined {
  const jobId = params.get("remix");
  if (jobId) {
    const seed = params.get("seed");
    return { kind: "remix", jobId, seed: seed === "new" || seed === "as-ran" ? seed : "as-given" };
  }
  const reference = params.get("input");
  if (reference) return { kind: "input", reference, to: params.get("to") ?? undefined };
  return undefined;
}

/** The URL's parameters once the form has taken what they asked for. */
export function withoutPrefill(params: URLSearchParams): URLSearchParams {
  const rest = new URLSearchParams(params);
  for (const name of ["remix", "seed", "input", "to"]) rest.delete(name);
  return rest;
}

/** All inputs of a job, the prompt among them and its secrets not, with the seed as wished. */
export function inputsOf(
  request: JobRequest,
  attempts: Job["attempts"],
  seed: SeedWish,
): JsonObject {
  const inputs = openInput(request);
  if (request.prompt !== "") inputs["prompt"] = request.prompt;
  if (seed === "new") delete inputs["seed"];
  const ran = attempts.findLast((attempt) => attempt.seed !== undefined)?.seed;
  if (seed === "as-ran" && ran !== undefined) inputs["seed"] ??= ran;
  return inputs;
}
