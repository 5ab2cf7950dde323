// The right side: what was asked for last, as it becomes media.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { create } from "@bufbuild/protobuf";
import { Images } from "lucide-react";
import type { CSSProperties, ReactNode } from "react";
import { Link } from "react-router";

import { bounded, generation } from "@/api/clients";
import { Skeleton } from "@/components/ui/skeleton";
import type { Shape } from "@/form/ratio";
import { useSubmissions, type Submission } from "@/form/submissions";
import { JobSchema, type Job } from "@/gen/mediagen/v1/job_pb";
import { CAPTION_HEIGHT, JobCard } from "@/jobs/job-card";
import { reservedShape } from "@/jobs/reserved-shape";
import { useJobs, useLive, useLiveStore } from "@/live/hooks";
import { useOutputKinds } from "@/models/output-kinds";
import { SubmissionCard } from "@/pages/create/submission-card";

const MOST = 24;

export function NewestJobs() {
  const jobs = useJobs(undefined, MOST);
  const submissions = useSubmissions().toReversed();
  const { isPending } = useNewestRead();
  const { kindOf } = useOutputKinds();
  const shapeOf = (job: Job): Shape => reservedShape(job, kindOf(job));
  const nothing = jobs.length + submissions.length === 0;
  return (
    <section aria-labelledby="newest" className="grid min-w-0 content-start gap-3">
      <div className="flex h-9 items-center justify-between">
        <h2 id="newest" className="font-semibold tracking-tight">
          Newest
        </h2>
        <Link
          to="/gallery"
          className="rounded-md text-sm text-muted-foreground underline-offset-4 hover:text-foreground hover:underline"
        >
          All in the gallery
        </Link>
      </div>
      {nothing && (isPending ? <Loading /> : <NothingYet />)}
      {!nothing && (
        <ul aria-label="Newest jobs" className={ROWS}>
          {submissions.map((submission) => (
            <Place key={submission.request.requestId} {...shapeOf(expected(submission))}>
              <SubmissionCard submission={submission} />
            </Place>
          ))}
          {jobs.map((job) => (
            <Place key={job.jobId} {...shapeOf(job)}>
              <JobCard job={job} />
            </Place>
          ))}
          {/* Takes what is left of the last row, so that nothing is stretched over it. */}
          <li aria-hidden className="h-0 grow-[9999]" />
        </ul>
      )}
    </section>
  );
}

/** Rows of one height: each place is as wide as its shape wants, and grows by as much. */
const ROWS = "flex flex-wrap gap-x-3 gap-y-2 [--row:11rem] sm:[--row:15rem] 2xl:[--row:17rem]";

function Place({ width, height, children }: Shape & { children: ReactNode }) {
  const ratio = Math.min(Math.max(width / height, 0.5), 2.6);
  const basis: CSSProperties = { flexGrow: ratio, flexBasis: `calc(var(--row) * ${ratio})` };
  return (
    <li className="relative max-w-full" style={basis}>
      <div style={{ aspectRatio: ratio, marginBottom: CAPTION_HEIGHT }} />
      <div className="absolute inset-0">{children}</div>
    </li>
  );
}

function expected({ request }: Submission): Job {
  const { model, prompt, input } = request;
  return create(JobSchema, { request: { model, prompt, ...(input && { input }) } });
}

/** Reads the newest jobs, which the stream tells nothing of where they had ended before. */
function useNewestRead() {
  const store = useLiveStore();
  const generationOfState = useLive((state) => state.generation);
  return useQuery({
    queryKey: ["newest jobs", generationOfState],
    // What is known stays while it is read anew.
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const { epoch } = store.now();
      const { jobs } = await generation.listJobs({ pageSize: MOST }, bounded(signal));
      store.absorb(jobs, epoch);
      return jobs.length;
    },
  });
}

function Loading() {
  return (
    <div role="status" className="flex flex-wrap gap-3">
      <span className="sr-only">The newest jobs are being read.</span>
      {[15, 22, 15, 18].map((width, index) => (
        <Skeleton
          key={index}
          className="h-60 grow rounded-xl"
          style={{ flexBasis: `${width}rem` }}
        />
      ))}
    </div>
  );
}

function NothingYet() {
  return (
    <div className="grid min-h-80 place-content-center justify-items-center gap-3 rounded-2xl border border-dashed border-input p-8 text-center">
      <Images aria-hidden className="size-9 text-muted-foreground" strokeWidth={1.5} />
      <p className="font-medium">Nothing made yet</p>
      <p className="max-w-72 text-sm text-pretty text-muted-foreground">
        Say what you want to see. It appears here at once, and you can ask for the next meanwhile.
      </p>
    </div>
  );
}
