// What goes on with a job that has not ended: stage, percent, time, place in the line, attempt.
import { Hourglass } from "lucide-react";

import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { Elapsed } from "@/jobs/elapsed";
import { ProgressRing } from "@/jobs/progress-ring";
import { attemptWord, outlook, statusWord } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { useNow } from "@/live/hooks";

interface JobStatusProps {
  job: Job;
  className?: string;
}

/** For the place where the result will be. */
export function JobStatus({ job, className }: JobStatusProps) {
  const waits = job.state === Job_State.PENDING;
  const attempt = attemptWord(job);
  return (
    <div
      className={cn(
        "flex flex-col items-center justify-center gap-2 p-3 text-center text-sm",
        className,
      )}
    >
      {waits ? (
        <Hourglass className="size-7 text-muted-foreground" strokeWidth={1.5} aria-hidden />
      ) : (
        <ProgressRing value={job.progressPercent ?? null} label={statusWord(job)} />
      )}
      <p className="leading-tight">
        <span className="font-medium">{statusWord(job)}</span>{" "}
        <Elapsed job={job} className="text-muted-foreground tabular-nums" />
      </p>
      <Outlook job={job} />
      {attempt !== "" && <p className="text-xs leading-tight text-warning">{attempt}</p>}
    </div>
  );
}

/** Its place in the line and when it may be done, as far as that can be said. */
export function Outlook({ job, className }: JobStatusProps) {
  const words = outlook(job, useNow());
  if (words === "") return null;
  return (
    <p className={cn("text-xs leading-tight text-balance text-muted-foreground", className)}>
      {words}
    </p>
  );
}
