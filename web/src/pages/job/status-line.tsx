// How it stands with a job, in one line that moves by itself.
import { Badge } from "@/components/ui/badge";
import { Progress } from "@/components/ui/progress";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { exactly, stopwatch, took } from "@/jobs/spans";
import { attemptWord, chargeWord, outlook, statusWord } from "@/jobs/words";
import { useNow } from "@/live/hooks";
import { isFinal, millisOf } from "@/live/job-order";

const VARIANTS: Readonly<
  Partial<Record<Job_State, "success" | "destructive" | "secondary" | "default">>
> = {
  [Job_State.COMPLETED]: "success",
  [Job_State.FAILED]: "destructive",
  [Job_State.CANCELED]: "secondary",
  [Job_State.PENDING]: "secondary",
};

export function StatusLine({ job }: { job: Job }) {
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 text-sm text-muted-foreground">
        <Badge variant={VARIANTS[job.state] ?? "default"}>{statusWord(job)}</Badge>
        {isFinal(job) ? <Ended job={job} /> : <Open job={job} />}
      </div>
      {!isFinal(job) && (
        <Progress
          aria-label="Progress"
          value={job.state === Job_State.RUNNING ? (job.progressPercent ?? null) : null}
        />
      )}
      {/* Read out when it changes; the percents would be too many. */}
      <p role="status" className="sr-only">
        {statusWord(job)}
      </p>
    </div>
  );
}

function Open({ job }: { job: Job }) {
  const now = useNow();
  const words = [attemptWord(job), outlook(job, now)].filter((word) => word !== "");
  return (
    <>
      {job.progressPercent !== undefined && (
        <span className="font-medium text-foreground tabular-nums">{job.progressPercent} %</span>
      )}
      <span className="tabular-nums" title="Since it was submitted">
        {stopwatch(now - millisOf(job.createTime))}
      </span>
      {words.map((word) => (
        <span key={word}>{word}</span>
      ))}
    </>
  );
}

function Ended({ job }: { job: Job }) {
  const { createTime, endTime } = job;
  return (
    <>
      <span className="tabular-nums">after {took(millisOf(endTime) - millisOf(createTime))}</span>
      <span>{chargeWord(job.charge)}</span>
      <time dateTime={new Date(millisOf(endTime)).toISOString()} className="tabular-nums">
        {exactly(millisOf(endTime))}
      </time>
    </>
  );
}
