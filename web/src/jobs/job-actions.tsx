// What can be done with jobs wherever they are shown, and what is asked before it is done?
import { createContext, use, useMemo, useState, type ReactNode } from "react";

import { toast } from "@/components/ui/toast";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { CancelDialog } from "@/jobs/cancel-dialog";
import { cancelJobs, submitAgain } from "@/jobs/job-calls";
import { RetryDialog } from "@/jobs/retry-dialog";
import { isCancelable, retryOffer } from "@/jobs/stakes";
import { useLiveStore } from "@/live/hooks";

export interface JobActions {
  /** Asks, saying what it may cost, and then cancels. */
  cancel: (jobs: readonly Job[]) => void;
  /** Submits the same request again; asks first where that may be paid for twice. */
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
    async function again(job: Job): Promise<void> {
      if (await submitAgain(job, store)) toast.success("Submitted again as a new job");
    }
  }, [store]);
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
          onConfirm={async () => {
            if (await submitAgain(retrying, store)) toast.success("Submitted again as a new job");
          }}
        />
      )}
    </ActionsContext>
  );
}
