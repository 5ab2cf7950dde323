// What stands in a job's place: its first result, or what goes on, or what went wrong.
import { Ban, CircleAlert, Images, RotateCcw } from "lucide-react";

import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { useJobActions } from "@/jobs/job-actions";
import { JobStatus } from "@/jobs/job-status";
import { MediaThumbnail, NoMedia } from "@/jobs/media-thumbnail";
import { textOutput } from "@/jobs/media";
import { retryOffer } from "@/jobs/stakes";
import { chargeWord, statusWord, titleOf } from "@/jobs/words";
import { isFinal } from "@/live/job-order";

interface JobVisualProps {
  job: Job;
  /** Of what can be pressed in it. */
  tabIndex: 0 | -1;
  hovered: boolean;
}

/** It fills its parent, which is positioned, and clips it. */
export function JobVisual({ job, tabIndex, hovered }: JobVisualProps) {
  const [first] = job.artifacts;
  if (first === undefined) return <WithoutResult job={job} tabIndex={tabIndex} />;
  const more = job.artifacts.length - 1;
  return (
    <>
      <MediaThumbnail artifact={first} alt={titleOf(job)} hovered={hovered} />
      <div className="pointer-events-none absolute right-2 bottom-2 flex flex-col items-end gap-1.5">
        {more > 0 && (
          <span className="flex items-center gap-1 rounded-md bg-black/65 px-1.5 py-0.5 text-xs font-medium text-white">
            <Images className="size-3" aria-hidden />
            {more + 1}
            <span className="sr-only"> results</span>
          </span>
        )}
        {job.state !== Job_State.COMPLETED && (
          <span className="rounded-md bg-black/65 px-1.5 py-0.5 text-xs font-medium text-white">
            {statusWord(job)}
          </span>
        )}
      </div>
    </>
  );
}

function WithoutResult({ job, tabIndex }: Omit<JobVisualProps, "hovered">) {
  if (!isFinal(job)) return <JobStatus job={job} className="absolute inset-0" />;
  if (job.state === Job_State.FAILED) return <JobFailure job={job} tabIndex={tabIndex} />;
  if (job.state === Job_State.CANCELED)
    return <NoMedia Icon={Ban} words={`Canceled. ${chargeWord(job.charge)}`} />;
  const text = textOutput(job);
  return text === undefined ? (
    <NoMedia Icon={Images} words="No files" />
  ) : (
    <p className="absolute inset-0 overflow-hidden p-4 text-sm leading-relaxed whitespace-pre-line">
      {text.slice(0, 600)}
    </p>
  );
}

/** What happened, whether it was charged, and another try where that is safe. */
function JobFailure({ job, tabIndex }: Omit<JobVisualProps, "hovered">) {
  const { retry } = useJobActions();
  const offer = retryOffer(job);
  const again = offer === "retry" || offer === "retry later" || offer === "ask first";
  return (
    <div className="absolute inset-0 flex flex-col items-center justify-center gap-2 overflow-hidden bg-destructive/6 p-3 text-center text-xs">
      <CircleAlert className="size-6 shrink-0 text-destructive" strokeWidth={1.75} aria-hidden />
      <p className="line-clamp-3 text-pretty break-words">{job.failure?.message ?? "It failed."}</p>
      <Badge variant={chargeWord(job.charge) === "Not charged" ? "secondary" : "warning"}>
        {chargeWord(job.charge)}
      </Badge>
      {again && (
        <Button
          variant="outline"
          size="sm"
          className="relative z-10 shrink-0 bg-card"
          tabIndex={tabIndex}
          onClick={() => retry(job)}
        >
          <RotateCcw aria-hidden />
          {offer === "retry later" ? "Retry later on" : "Retry"}
        </Button>
      )}
    </div>
  );
}
