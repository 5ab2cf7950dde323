// What can be done with all that is selected.
import { Copy, Download, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { useJobActions } from "@/jobs/job-actions";
import { copyLinks, downloadAll } from "@/jobs/job-calls";
import { useLiveStore } from "@/live/hooks";
import type { GalleryItem } from "@/pages/gallery/gallery-items";
import type { GallerySelection } from "@/pages/gallery/use-selection";

interface SelectionBarProps {
  items: readonly GalleryItem[];
  selection: GallerySelection;
}

export function SelectionBar({ items, selection }: SelectionBarProps) {
  const { cancel } = useJobActions();
  const store = useLiveStore();
  const count = selection.ids.size;
  const chosen = (): Job[] =>
    items
      .filter(({ jobId }) => selection.ids.has(jobId))
      .map(({ jobId, job }) => store.job(jobId) ?? job);
  return (
    <>
      <p role="status" className="sr-only">
        {count > 0 && `${count} selected`}
      </p>
      {count > 0 && (
        <div
          role="toolbar"
          aria-label="Selected jobs"
          className="fixed inset-x-4 bottom-6 z-30 mx-auto flex w-fit max-w-[calc(100vw-2rem)] animate-rise-in flex-wrap items-center justify-center gap-1 rounded-2xl bg-popover p-1.5 text-popover-foreground shadow-xl ring-1 ring-black/5 max-sm:bottom-[calc(5rem+env(safe-area-inset-bottom))] dark:ring-white/10"
        >
          <span className="px-3 text-sm font-medium tabular-nums">{count} selected</span>
          <Button variant="ghost" size="sm" onClick={selection.all}>
            Select all
          </Button>
          <Button variant="ghost" size="sm" onClick={() => void copyLinks(chosen())}>
            <Copy aria-hidden />
            Copy links
          </Button>
          <Button variant="ghost" size="sm" onClick={() => void downloadAll(chosen())}>
            <Download aria-hidden />
            Download
          </Button>
          <Button
            variant="ghost"
            size="sm"
            className="text-destructive"
            onClick={() => cancel(chosen())}
          >
            Cancel jobs
          </Button>
          <Button variant="ghost" size="icon-sm" aria-label="Select none" onClick={selection.clear}>
            <X aria-hidden />
          </Button>
        </div>
      )}
    </>
  );
}
