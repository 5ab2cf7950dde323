// One job at its own URL: live while it goes on, and as it ended.
import { useQuery } from "@tanstack/react-query";
import { Code } from "@connectrpc/connect";
import { useEffect } from "react";
import { Link, useParams } from "react-router";

import { bounded, generation } from "@/api/clients";
import { problemOf, type Problem } from "@/api/problem";
import { PageMessage } from "@/app/page-message";
import { usePageTitle } from "@/app/page-title";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { JobActionsProvider } from "@/jobs/job-actions";
import { statusWord, titleOf } from "@/jobs/words";
import { useJob, useLiveStore } from "@/live/hooks";
import { isFinal } from "@/live/job-order";
import { JobView } from "@/pages/job/job-view";

export function JobPage() {
  const { jobId = "" } = useParams();
  const { job, problem } = useJobByUrl(jobId);
  usePageTitle(titleFor(job));
  if (job)
    return (
      <JobActionsProvider>
        <JobView key={job.jobId} job={job} />
      </JobActionsProvider>
    );
  return problem ? <NoJob jobId={jobId} problem={problem} /> : <Loading />;
}

/** From the tab's stream; what that has not told of, or no longer tells of, is asked for. */
function useJobByUrl(jobId: string): { job: Job | undefined; problem: Problem | undefined } {
  const store = useLiveStore();
  const job = useJob(jobId);
  const asked = useQuery({
    queryKey: ["job", jobId],
    queryFn: async ({ signal }) => {
      const { epoch } = store.now();
      const answer = await generation.getJob({ jobId }, bounded(signal));
      return { job: answer.job, epoch };
    },
  });
  useEffect(() => {
    if (asked.data?.job) store.absorb([asked.data.job], asked.data.epoch);
  }, [asked.data, store]);
  return { job, problem: asked.error ? problemOf(asked.error) : undefined };
}

function titleFor(job: Job | undefined): string {
  if (job === undefined) return "Job";
  const title = titleOf(job);
  const short = title.length > 60 ? `${title.slice(0, 60)}…` : title;
  return isFinal(job) ? short : `${statusWord(job)}: ${short}`;
}

function NoJob({ jobId, problem }: { jobId: string; problem: Problem }) {
  const missing = problem.code === Code.NotFound || problem.code === Code.InvalidArgument;
  return (
    <PageMessage
      title={missing ? "There is no such job" : "The job can not be shown now"}
      actions={
        <>
          {!missing && <Button onClick={() => window.location.reload()}>Try again</Button>}
          <Button variant="secondary" asChild>
            <Link to="/gallery">To the gallery</Link>
          </Button>
        </>
      }
    >
      <p>
        {missing
          ? "Nothing of this id was ever submitted here, or the address is not complete."
          : problem.message}
      </p>
      <p className="mt-3 font-mono text-xs break-all">{jobId}</p>
    </PageMessage>
  );
}

function Loading() {
  return (
    <div
      role="status"
      aria-label="Loading the job"
      className="mx-auto grid w-full max-w-screen-2xl gap-6 px-4 py-6 sm:px-6"
    >
      <Skeleton className="h-8 w-2/3" />
      <div className="grid gap-6 lg:grid-cols-[minmax(0,1fr)_22rem] xl:grid-cols-[minmax(0,1fr)_26rem]">
        <Skeleton className="h-[60dvh] rounded-xl" />
        <Skeleton className="h-80 rounded-xl" />
      </div>
    </div>
  );
}
