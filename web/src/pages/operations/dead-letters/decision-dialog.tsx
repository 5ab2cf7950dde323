// Make them again, or leave them: what that means for each, asked of the service before it is done.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { problemOf } from "@/api/problem";
import { Alert, AlertDescription, AlertTitle } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import {
  Dialog,
  DialogClose,
  DialogContent,
  DialogDescription,
  DialogFooter,
  DialogHeader,
  DialogTitle,
} from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { decide, planOf, previewOf, type Decision } from "@/pages/operations/dead-letters/decision";
import { PlanView } from "@/pages/operations/dead-letters/plan-view";
import { ResultsView } from "@/pages/operations/dead-letters/results-view";
import { DEAD_LETTERS_KEY, overviewQuery } from "@/pages/operations/queries";

interface DecisionDialogProps {
  decision: Decision | undefined;
  onClose: () => void;
}

export function DecisionDialog({ decision, onClose }: DecisionDialogProps) {
  return (
    <Dialog open={decision !== undefined} onOpenChange={(open) => !open && onClose()}>
      {decision && (
        <DialogContent className="max-w-xl">
          <Deciding decision={decision} />
        </DialogContent>
      )}
    </Dialog>
  );
}

const jobs = (count: number): string => (count === 1 ? "1 job" : `${count} jobs`);

function Deciding({ decision }: { decision: Decision }) {
  const { jobIds, kind } = decision;
  const [force, setForce] = useState(false);
  const client = useQueryClient();
  const preview = useQuery({
    queryKey: ["operations", "decision", kind, jobIds],
    queryFn: ({ signal }) => previewOf(decision, signal),
    staleTime: Infinity,
    gcTime: 0,
  });
  const plan = planOf(preview.data ?? []);
  const deciding = useMutation({
    mutationFn: () => decide(kind, plan, force),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: DEAD_LETTERS_KEY }),
        client.invalidateQueries({ queryKey: overviewQuery.queryKey }),
      ]),
  });
  const count = plan.free.length + (force ? plan.mayPayTwice.length : 0);
  const error = preview.error ?? deciding.error;
  const redrive = kind === "redrive";
  return (
    <>
      <DialogHeader>
        <DialogTitle>
          {redrive ? `Make ${jobs(jobIds.length)} again?` : `Discard ${jobs(jobIds.length)}?`}
        </DialogTitle>
        <DialogDescription>
          {redrive
            ? "A failed job stays as it is, and a new one is submitted with the same request. A parked one goes on itself."
            : "Nothing will be done about them. A parked job fails at once, and whether it was paid for stays unknown."}
        </DialogDescription>
      </DialogHeader>
      {preview.isPending && <Skeleton className="h-24" />}
      {preview.data && !deciding.data && (
        <PlanView kind={kind} plan={plan} force={force} onForce={setForce} />
      )}
      {deciding.data && <ResultsView kind={kind} results={deciding.data} />}
      {error && (
        <Alert variant="destructive" role="alert">
          <AlertTitle>Not decided</AlertTitle>
          <AlertDescription>
            {problemOf(error).message} Deciding again is safe: what was done stays done once.
          </AlertDescription>
        </Alert>
      )}
      <DialogFooter>
        <DialogClose asChild>
          <Button variant="secondary">{deciding.data ? "Close" : "Back"}</Button>
        </DialogClose>
        {!deciding.data && (
          <Button
            variant={redrive && !force ? "default" : "destructive"}
            disabled={count === 0 || deciding.isPending}
            onClick={() => deciding.mutate()}
          >
            {redrive ? `Make ${jobs(count)} again` : `Discard ${jobs(count)}`}
          </Button>
        )}
      </DialogFooter>
    </>
  );
}
