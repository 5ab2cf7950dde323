// What went wrong with a call, in words for people and in reasons for code?
import { Code, ConnectError } from "@connectrpc/connect";

import type { ErrorReason } from "@/gen/mediagen/v1/error_reason_pb";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@/gen/google/rpc/error_details_pb";

export interface Violation {
  /** The field, as a path in the request: "prompt", "input.aspect_ratio". */
  field: string;
  description: string;
}

export interface Problem {
  code: Code;
  /** Why it was refused; of the service's own reasons where it gave one. */
  reason: keyof typeof ErrorReason | undefined;
  /** What the service says of it, or what can be said without it. */
  message: string;
  /** All that is wrong with the request. */
  violations: readonly Violation[];
  metadata: Readonly<Record<string, string>>;
  /** When it may be tried again, where the service says so. */
  retryAfterMs: number | undefined;
}

const UNREACHABLE = "The service can not be reached. Your text is kept; try again in a moment.";
const TOO_LONG = "The service did not answer in time. Try again in a moment.";
const TRANSIENT: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded]);

export function problemOf(error: unknown): Problem {
  const failure = ConnectError.from(error);
  const [info] = failure.findDetails(ErrorInfoSchema);
  const [retry] = failure.findDetails(RetryInfoSchema);
  const delay = retry?.retryDelay;
  return {
    code: codeOf(failure, error),
    reason: info?.reason.replace("ERROR_REASON_", "") as keyof typeof ErrorReason | undefined,
    message: wordsFor(failure, error),
    violations: failure
      .findDetails(BadRequestSchema)
      .flatMap((details) => details.fieldViolations)
      .map(({ field, description }) => ({ field, description })),
    metadata: info?.metadata ?? {},
    retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6,
  };
}

/** Whether the same call may do better a moment later. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(codeOf(ConnectError.from(error), error));
}

/** Whether the call was given up by the page itself: nothing to tell of. */
export function isCanceled(error: unknown): boolean {
  return ConnectError.from(error).code === Code.Canceled;
}

// What `fetch` throws when there is no connection has no code.
function codeOf(failure: ConnectError, error: unknown): Code {
  const unsent = failure.code === Code.Unknown && causeOf(error) instanceof TypeError;
  return unsent ? Code.Unavailable : failure.code;
}

function causeOf(error: unknown): unknown {
  return error instanceof ConnectError ? error.cause : error;
}

function wordsFor(failure: ConnectError, error: unknown): string {
  if (failure.code === Code.DeadlineExceeded) return TOO_LONG;
  if (codeOf(failure, error) === Code.Unavailable && failure.rawMessage === "") return UNREACHABLE;
  if (codeOf(failure, error) !== failure.code) return UNREACHABLE;
  return failure.rawMessage || "Something broke.";
}
