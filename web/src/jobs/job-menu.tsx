// Everything that can be done with one job, under one button.
import {
  Copy,
  Download,
  Ellipsis,
  ExternalLink,
  ImageUp,
  RotateCcw,
  Shuffle,
  SquareCheck,
  X,
  type LucideIcon,
} from "lucide-react";
import { useNavigate } from "react-router";

import { jobPath } from "@/api/urls";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { artifactReference, remixPath, useAsInputPath as asInputPath } from "@/form/prefill";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { useJobActions } from "@/jobs/job-actions";
import { copyLinks, downloadAll } from "@/jobs/job-calls";
import { downloadable } from "@/jobs/media";
import { isCancelable, retryOffer } from "@/jobs/stakes";
import { titleOf } from "@/jobs/words";
import { cn } from "@/lib/cn";

interface JobMenuProps {
  job: Job;
  /** Selects it, where jobs can be selected. */
  onSelect?: () => void;
  className?: string;
  tabIndex?: number;
}

export function JobMenu({ job, onSelect, className, tabIndex }: JobMenuProps) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button
          size="icon-sm"
          aria-label={`Actions: ${titleOf(job)}`}
          tabIndex={tabIndex}
          className={cn(
            "rounded-full bg-black/55 text-white shadow-none backdrop-blur-sm hover:bg-black/75",
            className,
          )}
        >
          <Ellipsis aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        <Items job={job} onSelect={onSelect} />
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

function Items({
  job,
  onSelect,
}: Pick<JobMenuProps, "job"> & { onSelect: (() => void) | undefined }) {
  const navigate = useNavigate();
  const { cancel, retry } = useJobActions();
  const [first] = downloadable([job]);
  const go = (path: string) => () => void navigate(path);
  const input = first && asInputPath(artifactReference(job.jobId, first.artifact.index));
  const offer = retryOffer(job);
  return (
    <>
      <Item Icon={ExternalLink} words="Open" act={go(jobPath(job.jobId))} />
      {onSelect && <Item Icon={SquareCheck} words="Select" act={onSelect} />}
      <Item Icon={Shuffle} words="Remix" act={go(remixPath(job.jobId))} />
      {input !== undefined && <Item Icon={ImageUp} words="Use as input" act={go(input)} />}
      {offer !== "none" && offer !== "change" && (
        <Item Icon={RotateCcw} words="Retry" act={() => retry(job)} />
      )}
      <DropdownMenuSeparator />
      {first && <Item Icon={Download} words="Download" act={() => void downloadAll([job])} />}
      <Item Icon={Copy} words="Copy link" act={() => void copyLinks([job])} />
      {isCancelable(job) && (
        <DropdownMenuItem variant="destructive" onSelect={() => cancel([job])}>
          <X aria-hidden />
          Cancel
        </DropdownMenuItem>
      )}
    </>
  );
}

interface ItemProps {
  Icon: LucideIcon;
  words: string;
  act: () => void;
}

function Item({ Icon, words, act }: ItemProps) {
  return (
    <DropdownMenuItem onSelect={act}>
      <Icon aria-hidden />
      {words}
    </DropdownMenuItem>
  );
}
