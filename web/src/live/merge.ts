// What is known of a job when something more is told of it, in whatever order and how often?
import { Charge } from "@/gen/mediagen/v1/attempt_pb";
import { Job_State, type Forecast, type Job } from "@/gen/mediagen/v1/job_pb";

import { isFinal, microsOf } from "@/live/job-order";

/**
 * The newer of two words on one job; `held` itself if `told` adds nothing. The request never
 * changes, and updates leave it out.
 */
export function merge(held: Job, told: Job): Job {
  const newer = isNewer(told, held) ? told : held;
  const request = newer.request ?? held.request ?? told.request;
  const forecast = forecastOf(held, told);
  if (newer === held && request === held.request && forecast === held.forecast) return held;
  return { ...newer, request, forecast };
}

/** `job` with a forecast that was told apart from it. */
export function withForecast(job: Job, forecast: Forecast): Job {
  if (isFinal(job) || !isLater(forecast, job.forecast)) return job;
  return { ...job, forecast };
}

function isNewer(told: Job, held: Job): boolean {
  if (told.revision !== held.revision) return told.revision > held.revision;
  return added(told) > added(held);
}

/** What is added to a job without a revision. It only ever grows, so that order does not matter. */
function added(job: Job): number {
  const deleted = job.artifacts.filter((one) => one.deleteTime !== undefined).length;
  const settled = job.attempts.filter((one) => one.charge !== Charge.UNKNOWN).length;
  const ended = job.attempts.filter((one) => one.endTime !== undefined).length;
  return deleted + settled + ended + (job.redrivenAs === "" ? 0 : 1);
}

// It has no revision of its own: the later one counts. Updates come without, and leave what is known
// as it is, unless the job waits anew.
function forecastOf(held: Job, told: Job): Forecast | undefined {
  if (told.revision < held.revision) return held.forecast;
  if (isFinal(told)) return undefined;
  const goesOn = told.state === held.state || held.state === Job_State.PENDING;
  const known = goesOn ? held.forecast : undefined;
  return isLater(told.forecast, known) ? told.forecast : known;
}

function isLater(told: Forecast | undefined, known: Forecast | undefined): boolean {
  return told !== undefined && microsOf(told.asOf) > microsOf(known?.asOf);
}
