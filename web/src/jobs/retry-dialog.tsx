// Shall a job be made again that may have been paid for already?
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
import { titleOf } from "@/jobs/words";

interface RetryDialogProps {
  job: Job;
  onClose: () => void;
  onConfirm: () => Promise<void>;
}

export function RetryDialog({ job, onClose, onConfirm }: RetryDialogProps) {
  return (
    <Dialog open onOpenChange={onClose}>
      <DialogContent>
        <DialogHeader>
          <DialogTitle>Pay for it a second time?</DialogTitle>
          <DialogDescription>
            This job may have been charged although it failed. The same request as a new job is
            charged on its own.
          </DialogDescription>
        </DialogHeader>
        <p className="line-clamp-3 rounded-lg bg-secondary px-3 py-2 text-sm">{titleOf(job)}</p>
        <DialogFooter>
          <Button variant="secondary" onClick={onClose}>
            Leave it
          </Button>
          <Button
            onClick={() => {
              void onConfirm();
              onClose();
            }}
          >
            Submit it again
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
