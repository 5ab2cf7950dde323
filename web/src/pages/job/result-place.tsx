// The place of what is still to come, in the shape that it will have.
import type { CSSProperties } from "react";

import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { Model_OutputKind } from "@/gen/mediagen/v1/model_pb";
import { JobStatus } from "@/jobs/job-status";
import { reservedShape } from "@/jobs/reserved-shape";
import { cn } from "@/lib/cn";
import { isFinal } from "@/live/job-order";
import { useOutputKinds } from "@/models/output-kinds";

/** They are shown in what is no picture: a player, a box of text. */
const FLAT: ReadonlySet<Model_OutputKind> = new Set([
  Model_OutputKind.AUDIO,
  Model_OutputKind.TEXT,
  Model_OutputKind.OTHER,
]);

export function ResultPlace({ job }: { job: Job }) {
  const { kindOf } = useOutputKinds();
  const kind = kindOf(job);
  if (isFinal(job) && job.state !== Job_State.CANCELED) return null;
  const flat = FLAT.has(kind);
  return (
    <div
      className={cn(
        "relative mx-auto w-full overflow-hidden rounded-xl bg-muted",
        flat ? "h-40" : "max-h-[72dvh] min-h-40",
      )}
      style={flat ? undefined : ratioOf(job, kind)}
    >
      {isFinal(job) ? (
        <p className="absolute inset-0 grid place-content-center text-sm text-muted-foreground">
          It was canceled before there was a result.
        </p>
      ) : (
        <JobStatus job={job} className="absolute inset-0" />
      )}
    </div>
  );
}

function ratioOf(job: Job, kind: Model_OutputKind): CSSProperties {
  const { height, width } = reservedShape(job, kind);
  return { aspectRatio: `${width} / ${height}` };
}
