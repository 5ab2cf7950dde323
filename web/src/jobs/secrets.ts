// Which inputs of a job are told to nobody? Where it is made again, they have to be typed again.
import type { JsonObject } from "@bufbuild/protobuf";

import type { Job, JobRequest } from "@/gen/mediagen/v1/job_pb";

/** Those that were given, by name. */
export function secretsOf(request: JobRequest | undefined): readonly string[] {
  return request?.secretInputs.filter((name) => request.input?.[name] !== undefined) ?? [];
}

export function hasSecrets({ request }: Job): boolean {
  return secretsOf(request).length > 0;
}

/** What was given, without them: the service says stars in their place. */
export function openInput(request: JobRequest): JsonObject {
  const secret = new Set(request.secretInputs);
  return Object.fromEntries(
    Object.entries(request.input ?? {}).filter(([name]) => !secret.has(name)),
  );
}
