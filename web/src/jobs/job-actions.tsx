// What can be done with jobs wherever they are shown, and what is asked before it is done?
import { createContext, use, useCallback, useMemo, useState, type ReactNode } from "react";
import { useNavigate } from "react-router";

import { toast } from "@/components/ui/toast";
import { remixPath } from "@/form/prefill";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { CancelDialog } from "@/jobs/cancel-dialog";
import { cancelJobs, submitAgain } from "@/jobs/job-calls";
import { RetryDialog } from "@/jobs/retry-dialog";
import { hasSecrets } from "@/jobs/secrets";
import { isCancelable, retryOffer } from "@/jobs/stakes";
import { useLiveStore } from "@/live/hooks";

export interface JobActions {
  /** Asks, saying what it may cost, and then cancels. */
  cancel: (jobs: readonly Job[]) => void;
  /** Submits the same request again; asks first where that may be paid for twice. Where there are
   *  secrets to be typed again, it opens the form. */
  retry: (job: Job) => void;
}

const ActionsContext = createContext<JobActions | null>(null);

export function useJobActions(): JobActions {
  const actions = use(ActionsContext);
  if (actions === null) throw new Error("this is not inside of <JobActionsProvider>");
  return actions;
}

/** Around whatever shows jobs: the questions stand here. */
export function JobActionsProvider({ children }: { children: ReactNode }) {
  const again = useAgain();
  const store = useLiveStore();
  const [canceling, setCanceling] = useState<readonly Job[] | null>(null);
  const [retrying, setRetrying] = useState<Job | null>(null);
  const actions = useMemo<JobActions>(() => {
    return {
      cancel: (jobs) => {
        const open = jobs.filter(isCancelable);
        if (open.length > 0) setCanceling(open);
        else toast("There is nothing to cancel");
      },
      retry: (job) => {
        if (retryOffer(job) === "ask first") setRetrying(job);
        else void again(job);
      },
    };
  }, [again]);
  return (
    <ActionsContext value={actions}>
      {children}
      {canceling !== null && (
        <CancelDialog
          jobs={canceling}
          onClose={() => setCanceling(null)}
          onConfirm={(jobs) => void cancelJobs(jobs, store)}
        />
      )}
      {retrying !== null && (
        <RetryDialog
          job={retrying}
          onClose={() => setRetrying(null)}
          onConfirm={() => again(retrying)}
        />
      )}
    </ActionsContext>
  );
}

function useAgain(): (job: Job) => Promise<void> {
  const store = useLiveStore();
  const navigate = useNavigate();
  return useCallback(
    async (job) => {
      if (hasSecrets(job)) await navigate(remixPath(job.jobId));
      else if (await submitAgain(job, store)) toast.success("Submitted again as a new job");
    },
    [store, navigate],
  );
}
