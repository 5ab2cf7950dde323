// One job as a card: what it made or how far it is, its prompt, and what can be done with it.
//
// The whole picture is the link to its page; what can be pressed lies on top of it.
import { memo, useState, type ReactNode } from "react";
import { Link } from "react-router";

import { jobPath } from "@/api/urls";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { JobMenu } from "@/jobs/job-menu";
import { JobVisual } from "@/jobs/job-visual";
import { exactly, moment } from "@/jobs/spans";
import { shortModel, statusWord, titleOf } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { millisOf } from "@/live/job-order";

/** The height of what stands under the picture, in pixels. */
export const CAPTION_HEIGHT = 48;

export interface CardSelection {
  selected: boolean;
  /** Whether any card is selected: then a click selects as well. */
  selecting: boolean;
  toggle: (range: boolean) => void;
  /** What stands in the corner to select it with. */
  corner: ReactNode;
}

export interface JobCardProps {
  job: Job;
  className?: string;
  /** -1: the keyboard comes to it by arrows. */
  tabIndex?: 0 | -1;
  selection?: CardSelection;
}

export const JobCard = memo(function JobCard(props: JobCardProps) {
  const { job, className, tabIndex = 0, selection } = props;
  const [hovered, setHovered] = useState(false);
  const title = titleOf(job);
  const { selected = false, selecting = false } = selection ?? {};
  return (
    <div
      data-slot="job-card"
      data-job-id={job.jobId}
      data-selected={selected || undefined}
      className={cn("group/card flex h-full flex-col", className)}
    >
      <div
        onPointerEnter={() => setHovered(true)}
        onPointerLeave={() => setHovered(false)}
        className={cn(
          "relative min-h-0 flex-1 overflow-hidden rounded-xl bg-muted transition-[scale] has-[a:focus-visible]:outline-2 has-[a:focus-visible]:outline-offset-2 has-[a:focus-visible]:outline-ring",
          selected && "scale-[0.96] ring-3 ring-primary",
        )}
      >
        <Link
          to={jobPath(job.jobId)}
          tabIndex={tabIndex}
          draggable={false}
          aria-label={`${title}: ${statusWord(job)}`}
          onClick={(event) => {
            if (!selection || event.metaKey || event.ctrlKey) return;
            if (!selecting && !event.shiftKey) return;
            event.preventDefault();
            selection.toggle(event.shiftKey);
          }}
          className="absolute inset-0 z-[1] rounded-xl outline-none"
        />
        <JobVisual job={job} tabIndex={tabIndex} hovered={hovered} />
        {selection?.corner}
        <JobMenu
          job={job}
          tabIndex={tabIndex}
          {...(selection && { onSelect: () => selection.toggle(false) })}
          className={cn("absolute top-2 right-2 z-10", HIDDEN_UNTIL_NEEDED, SHOWN_TO_FINGERS)}
        />
      </div>
      <Caption job={job} title={title} />
    </div>
  );
});

/** The pointer or the focus brings it up. */
export const HIDDEN_UNTIL_NEEDED =
  "opacity-0 transition-opacity group-focus-within/card:opacity-100 group-hover/card:opacity-100 data-[state=open]:opacity-100";
/** Where there is no pointer it is always there. */
const SHOWN_TO_FINGERS = "[@media(hover:none)]:opacity-100";

function Caption({ job, title }: { job: Job; title: string }) {
  const accepted = millisOf(job.createTime);
  return (
    <div
      className="flex shrink-0 flex-col justify-center px-0.5"
      style={{ height: CAPTION_HEIGHT }}
    >
      <p className="truncate text-[0.8125rem] leading-5" title={title}>
        {title}
      </p>
      <p className="flex gap-2 text-xs leading-4 text-muted-foreground">
        <span className="truncate">{shortModel(job.request?.model ?? "")}</span>
        <time
          dateTime={new Date(accepted).toISOString()}
          title={exactly(accepted)}
          className="ml-auto shrink-0"
        >
          {moment(accepted)}
        </time>
      </p>
    </div>
  );
}
