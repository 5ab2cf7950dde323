// A result on the whole screen: arrows go to the others, Enter or a click shows every pixel.
import { ChevronLeft, ChevronRight, Download, X, ZoomIn, ZoomOut } from "lucide-react";
import { Dialog as DialogPrimitive } from "radix-ui";
import { useState, type KeyboardEvent, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogOverlay, DialogTitle } from "@/components/ui/dialog";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";
import { fileName, fileUrl, isDeleted, mediaKind } from "@/jobs/media";
import { titleOf } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { ArtifactView } from "@/pages/job/viewer/artifact-view";

interface FullScreenProps {
  job: Job;
  place: number;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onChoose: (place: number) => void;
}

export function FullScreen({ onOpenChange, open, ...shown }: FullScreenProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogPrimitive.Portal>
        <DialogOverlay className="bg-black/90" />
        <DialogPrimitive.Content
          aria-describedby={undefined}
          className="dark fixed inset-0 z-50 grid grid-rows-[auto_1fr] text-foreground outline-none data-[state=closed]:animate-fade-out data-[state=open]:animate-fade-in"
        >
          <Content {...shown} />
        </DialogPrimitive.Content>
      </DialogPrimitive.Portal>
    </Dialog>
  );
}

function Content({ job, onChoose, place }: Omit<FullScreenProps, "open" | "onOpenChange">) {
  const [zoomed, setZoomed] = useState(false);
  const count = job.artifacts.length;
  const artifact = job.artifacts[place];
  if (artifact === undefined) return null;
  const go = (by: number): void => {
    setZoomed(false);
    onChoose((place + by + count) % count);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    // A player has its own use for the arrows, and so has what scrolls.
    if (by === undefined || zoomed || count < 2 || event.target instanceof HTMLMediaElement) return;
    event.preventDefault();
    go(by);
  };
  const picture = mediaKind(artifact) === "image" && !isDeleted(artifact);
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- keys of what is inside
    <div className="contents" onKeyDown={onKeyDown}>
      <div className="flex items-center gap-2 p-3">
        <DialogTitle className="min-w-0 flex-1 truncate text-sm font-medium">
          {titleOf(job)}
        </DialogTitle>
        {count > 1 && (
          <span role="status" className="text-sm whitespace-nowrap tabular-nums">
            {place + 1} of {count}
          </span>
        )}
        {picture && (
          <Tool
            name={zoomed ? "Fit to the screen" : "Show every pixel"}
            onClick={() => setZoomed(!zoomed)}
          >
            {zoomed ? <ZoomOut aria-hidden /> : <ZoomIn aria-hidden />}
          </Tool>
        )}
        <Button variant="ghost" size="icon" asChild>
          <a href={fileUrl(artifact)} download={fileName(job, artifact)} aria-label="Download">
            <Download aria-hidden />
          </a>
        </Button>
        <DialogClose asChild>
          <Button variant="ghost" size="icon" aria-label="Close">
            <X aria-hidden />
          </Button>
        </DialogClose>
      </div>
      <div className="relative min-h-0">
        {picture ? (
          <Picture
            key={artifact.index}
            artifact={artifact}
            name={titleOf(job)}
            zoomed={zoomed}
            onZoom={() => setZoomed(!zoomed)}
          />
        ) : (
          <div className="grid h-full place-items-center px-4 pb-4">
            <ArtifactView key={artifact.index} job={job} artifact={artifact} />
          </div>
        )}
        {count > 1 && (
          <>
            <Tool name="Previous result" className="absolute top-1/2 left-3" onClick={() => go(-1)}>
              <ChevronLeft aria-hidden />
            </Tool>
            <Tool name="Next result" className="absolute top-1/2 right-3" onClick={() => go(1)}>
              <ChevronRight aria-hidden />
            </Tool>
          </>
        )}
      </div>
    </div>
  );
}

interface ToolProps {
  name: string;
  className?: string;
  onClick: () => void;
  children: ReactNode;
}

function Tool({ children, className, name, onClick }: ToolProps) {
  return (
    <Button
      variant="ghost"
      size="icon"
      aria-label={name}
      onClick={onClick}
      className={cn(className !== undefined && "bg-background/60 backdrop-blur", className)}
    >
      {children}
    </Button>
  );
}

interface PictureProps {
  artifact: Artifact;
  name: string;
  zoomed: boolean;
  onZoom: () => void;
}

function Picture({ artifact, name, onZoom, zoomed }: PictureProps) {
  return (
    <div className={cn("absolute inset-0", zoomed ? "overflow-auto" : "overflow-hidden")}>
      <button
        type="button"
        aria-label={zoomed ? "Fit to the screen" : "Show every pixel"}
        onClick={onZoom}
        className={cn(
          "grid place-items-center focus-visible:-outline-offset-2",
          zoomed ? "min-h-full min-w-full cursor-zoom-out!" : "size-full cursor-zoom-in!",
        )}
      >
        <img
          src={fileUrl(artifact)}
          alt={name}
          className={zoomed ? "max-w-none" : "absolute inset-0 size-full object-contain px-4 pb-4"}
        />
      </button>
    </div>
  );
}
