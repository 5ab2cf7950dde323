// How long has a job been at it, second by second; once it has ended, how long did it take?
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { Job_State } from "@/gen/mediagen/v1/job_pb";
import { stopwatch, took } from "@/jobs/spans";
import { isFinal, millisOf } from "@/live/job-order";
import { useNow } from "@/live/hooks";

/** The time since it was accepted while it waits; since a worker took it while it runs. */
export function Elapsed({ job, className }: { job: Job; className?: string }) {
  const final = isFinal(job);
  const now = useNow(!final);
  const waits = job.state === Job_State.PENDING || job.startTime === undefined;
  const from = millisOf(waits ? job.createTime : job.startTime);
  const spent = Math.max(0, (final ? millisOf(job.endTime) : now) - from);
  return <span className={className}>{final ? took(spent) : stopwatch(spent)}</span>;
}
