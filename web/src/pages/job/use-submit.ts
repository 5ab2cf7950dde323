// How does a button of this page ask for a job, and say what became of that?
import { useState } from "react";
import { useNavigate } from "react-router";

import type { Problem } from "@/api/problem";
import { jobPath } from "@/api/urls";
import { toast } from "@/components/ui/toast";
import { submit, type Wanted } from "@/form/submissions";
import { useLiveStore } from "@/live/hooks";

const KEPT = "The request is kept under Create, to be sent again.";

interface Submitting {
  busy: boolean;
  /** Asks for it and goes to its page. */
  send: (wanted: Wanted) => Promise<void>;
}

export function useSubmit(): Submitting {
  const [busy, setBusy] = useState(false);
  const store = useLiveStore();
  const navigate = useNavigate();
  const send = async (wanted: Wanted): Promise<void> => {
    setBusy(true);
    const refusals: Problem[] = [];
    const showRefusal = (problem: Problem): boolean => {
      refusals.push(problem);
      toast.error("Not submitted", { description: wordsOf(problem) });
      return true;
    };
    const job = await submit(wanted, { showRefusal });
    setBusy(false);
    if (job === undefined) {
      if (refusals.length === 0) toast.error("The service does not answer", { description: KEPT });
      return;
    }
    store.absorb([job]);
    await navigate(jobPath(job.jobId));
  };
  return { busy, send };
}

function wordsOf({ message, violations }: Problem): string {
  const all = violations.map(({ description, field }) => `${field} ${description}`);
  return all.length > 0 ? all.join("; ") : message;
}
