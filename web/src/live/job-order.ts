// Which job stands before which, and which is over? Newest first, as ListJobs has them.
import type { Timestamp } from "@bufbuild/protobuf/wkt";

import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";

const FINAL: ReadonlySet<Job_State> = new Set([
  Job_State.COMPLETED,
  Job_State.FAILED,
  Job_State.CANCELED,
]);

/** Whether it has ended. A state that this page does not know is not final. */
export function isFinal(job: Job): boolean {
  return FINAL.has(job.state);
}

/** Microseconds since 1970: as exact as the service keeps times, and exact in a number. */
export function microsOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : Number(time.seconds) * 1e6 + Math.floor(time.nanos / 1000);
}

/** Milliseconds since 1970. */
export function millisOf(time: Timestamp | undefined): number {
  return microsOf(time) / 1000;
}

/** For sort(): newest first. */
export function newestFirst(a: Job, b: Job): number {
  const later = microsOf(b.createTime) - microsOf(a.createTime);
  if (later !== 0) return later;
  return a.jobId < b.jobId ? 1 : a.jobId > b.jobId ? -1 : 0;
}

/** `listed` with `added` in their places; both newest first. */
export function mergeNewestFirst(listed: readonly Job[], added: readonly Job[]): Job[] {
  const merged: Job[] = [];
  let at = 0;
  for (const job of added) {
    for (let next = listed[at]; next !== undefined && newestFirst(next, job) < 0;) {
      merged.push(next);
      next = listed[++at];
    }
    merged.push(job);
  }
  return merged.concat(listed.slice(at));
}
