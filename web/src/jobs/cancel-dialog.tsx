// Shall these jobs be canceled? It says what that may cost, as they are at this moment.
import { useCallback } from "react";

import { Button } from "@/components/ui/button";
import {
  Dialog,
  DialogContent,
  DialogDescription,
  DialogFooter,
  DialogHeader,
  DialogTitle,
} from "@/components/ui/dialog";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { cancelAllWords, cancelWords, isCancelable } from "@/jobs/stakes";
import { titleOf } from "@/jobs/words";
import { sameMembers, useLive } from "@/live/hooks";
import type { LiveState } from "@/live/live-state";

interface CancelDialogProps {
  jobs: readonly Job[];
  onClose: () => void;
  onConfirm: (jobs: readonly Job[]) => void;
}

export function CancelDialog({ jobs, onClose, onConfirm }: CancelDialogProps) {
  const asNow = useCallback(
    (state: LiveState) => jobs.map((job) => state.jobs.get(job.jobId) ?? job),
    [jobs],
  );
  const now = useLive(asNow, sameMembers);
  const [only] = now;
  const one = now.length === 1 && only !== undefined;
  const open = now.filter(isCancelable);
  return (
    <Dialog open onOpenChange={onClose}>
      <DialogContent>
        <DialogHeader>
          <DialogTitle>{one ? "Cancel this job?" : `Cancel ${now.length} jobs?`}</DialogTitle>
          <DialogDescription>{one ? cancelWords(only) : cancelAllWords(now)}</DialogDescription>
        </DialogHeader>
        {one && (
          <p className="line-clamp-3 rounded-lg bg-secondary px-3 py-2 text-sm">{titleOf(only)}</p>
        )}
        <DialogFooter>
          <Button variant="secondary" onClick={onClose}>
            {one ? "Let it run" : "Let them run"}
          </Button>
          <Button
            variant="destructive"
            disabled={open.length === 0}
            onClick={() => {
              onConfirm(open);
              onClose();
            }}
          >
            {one ? "Cancel the job" : `Cancel ${open.length} jobs`}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
