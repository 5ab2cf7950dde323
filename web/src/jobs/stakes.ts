// May a cancel still cost something, and may a failed job be made again?
import { Attempt_State, Charge } from "@/gen/mediagen/v1/attempt_pb";
import { RetryAdvice } from "@/gen/mediagen/v1/failure_pb";
import { Job_Stage, Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { isFinal } from "@/live/job-order";

export type Stakes =
  /** It has ended, or a cancel was asked for: there is nothing to do. */
  | "over"
  /** No call to the provider is under way. */
  | "free"
  /** A call is under way: its run until the cancel may be billed. */
  | "may cost"
  /** The model has finished. */
  | "paid";

const UNDER_WAY: ReadonlySet<Attempt_State> = new Set([
  Attempt_State.SUBMITTING,
  Attempt_State.SUBMITTED,
  Attempt_State.UNKNOWN,
  Attempt_State.UNRESOLVED,
]);

export function cancelStakes(job: Job): Stakes {
  if (!isCancelable(job)) return "over";
  if (job.state === Job_State.PENDING) return "free";
  if (job.stage === Job_Stage.SAVING) return "paid";
  const last = job.attempts.at(-1);
  // With no attempt noted yet, one may be by the time the cancel arrives.
  return last === undefined || UNDER_WAY.has(last.state) ? "may cost" : "free";
}

export function isCancelable(job: Job): boolean {
  return !isFinal(job) && job.cancelRequestTime === undefined;
}

/** What a cancel of this one job costs, in a sentence or two. */
export function cancelWords(job: Job): string {
  const earlier = job.charge === Charge.NO ? "" : " What earlier attempts cost stays as it is.";
  switch (cancelStakes(job)) {
    case "over":
      return isFinal(job) ? "It has ended meanwhile." : "It is being canceled already.";
    case "free":
      return `Nothing is running for it at the provider: canceling costs nothing.${job.attempts.length > 0 ? earlier : ""}`;
    case "may cost":
      return "It was sent to the provider: the time it has run may be charged. If it finishes before the cancel arrives, the result is kept and charged.";
    case "paid":
      return "The model has finished, so it is charged in any case; only its files are still being saved.";
  }
}

/** What a cancel of all of them costs. */
export function cancelAllWords(jobs: readonly Job[]): string {
  const count = (stakes: Stakes): number =>
    jobs.filter((job) => cancelStakes(job) === stakes).length;
  const parts = [
    [count("free"), "not running at the provider: canceling costs nothing."],
    [count("may cost"), "sent to the provider: the time they have run may be charged."],
    [count("paid"), "finished and only being saved: charged in any case."],
    [count("over"), "over already: nothing changes."],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, words]) => `${number} ${words}`)
    .join(" ");
}

export type RetryOffer = "none" | "retry" | "retry later" | "ask first" | "change";

/** Whether the same request may be submitted once more. */
export function retryOffer(job: Job): RetryOffer {
  if (job.state === Job_State.CANCELED) return "retry";
  if (job.state !== Job_State.FAILED || job.redrivenAs !== "") return "none";
  switch (job.failure?.retryAdvice) {
    case RetryAdvice.RETRY:
      return "retry";
    case RetryAdvice.RETRY_LATER:
      return "retry later";
    case RetryAdvice.MAY_PAY_TWICE:
      return "ask first";
    case RetryAdvice.CHANGE_REQUEST:
      return "change";
    default:
      return "none";
  }
}
