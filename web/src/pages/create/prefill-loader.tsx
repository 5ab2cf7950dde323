// Fills the form with what the URL asks for, and then gives way to it.
//
// It writes the draft that the form opens with. So the reader's own text of before is in the draft of
// its model, or is replaced where it is the same model: taking up a job says so.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { bounded, generation } from "@/api/clients";
import { problemOf } from "@/api/problem";
import { Skeleton } from "@/components/ui/skeleton";
import { saveDraft } from "@/form/draft";
import { withoutPrefill, type Prefill } from "@/form/prefill";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { oneModel } from "@/models/queries";
import { filled, modelOf, type Filled } from "@/pages/create/filled";
import type { Carried } from "@/pages/create/carried";

interface PrefillLoaderProps {
  prefill: Prefill;
  /** The model in use, where the prefill names none. */
  model: string;
}

export function PrefillLoader({ prefill, model: inUse }: PrefillLoaderProps) {
  const job = useJobOf(prefill);
  const name = prefill.kind === "remix" ? job.data && modelOf(job.data) : inUse;
  const model = useQuery({ ...oneModel(name ?? ""), enabled: name !== undefined });
  const problem = job.error ?? model.error;
  const finish = useFinish();
  useEffect(() => {
    if (problem !== null) finish(undefined, { notice: problemOf(problem).message });
    else if (name !== undefined && model.data !== undefined) fill(name, model.data);

    function fill(reference: string, given: Model): void {
      if (prefill.kind === "remix" && job.data === undefined) return;
      const { form, draft, notice }: Filled = filled(prefill, reference, given, job.data);
      saveDraft(reference, form, draft);
      finish(reference, notice === undefined ? undefined : { notice });
    }
  }, [prefill, name, job.data, model.data, problem, finish]);
  return (
    <div role="status" className="grid gap-6 pb-4">
      <span className="sr-only">The form is being filled.</span>
      <Skeleton className="h-28 rounded-xl" />
      <Skeleton className="h-36 rounded-xl" />
    </div>
  );
}

function useJobOf(prefill: Prefill) {
  const jobId = prefill.kind === "remix" ? prefill.jobId : "";
  return useQuery({
    queryKey: ["job to take up", jobId],
    enabled: jobId !== "",
    queryFn: async ({ signal }): Promise<Job> => {
      const { job } = await generation.getJob({ jobId }, bounded(signal));
      if (job === undefined) throw new Error("the answer has no job");
      return job;
    },
  });
}

/** Goes to the form, which then has its own URL: a reload keeps what was typed since. */
function useFinish() {
  const navigate = useNavigate();
  const [params] = useSearchParams();
  return (model: string | undefined, state: Carried | undefined): void => {
    const rest = withoutPrefill(params);
    if (model !== undefined) rest.set("model", model);
    void navigate({ search: rest.toString() }, { replace: true, state });
  };
}
