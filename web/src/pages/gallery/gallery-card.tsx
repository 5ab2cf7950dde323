// One card at its place; redrawn when its own job changes, and for nothing else.
import { memo, useMemo } from "react";

import { Checkbox } from "@/components/ui/checkbox";
import { HIDDEN_UNTIL_NEEDED, JobCard } from "@/jobs/job-card";
import { titleOf } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { useJob } from "@/live/hooks";
import type { GalleryItem } from "@/pages/gallery/gallery-items";
import type { Box } from "@/pages/gallery/justified-layout";

interface GalleryCardProps {
  item: GalleryItem;
  box: Box;
  /** From 0. */
  place: number;
  /** Tab comes to this one; arrows to the others. */
  active: boolean;
  selected: boolean;
  selecting: boolean;
  onToggle: (jobId: string, range: boolean) => void;
  onActivate: (jobId: string) => void;
}

export const GalleryCard = memo(function GalleryCard(props: GalleryCardProps) {
  const { item, box, place, active, selected, selecting, onToggle, onActivate } = props;
  const { jobId } = item;
  const job = useJob(jobId) ?? item.job;
  const tabIndex = active ? 0 : -1;
  const title = titleOf(job);
  const selection = useMemo(() => {
    const toggle = (range: boolean): void => onToggle(jobId, range);
    const corner = (
      <Checkbox
        checked={selected}
        tabIndex={tabIndex}
        aria-label={`Select: ${title}`}
        onClick={(event) => {
          event.preventDefault();
          toggle(event.shiftKey);
        }}
        className={cn(
          "absolute top-2 left-2 z-10 size-6.5 rounded-md bg-card/85 backdrop-blur-sm",
          !selected && !selecting && HIDDEN_UNTIL_NEEDED,
        )}
      />
    );
    return { selected, selecting, toggle, corner };
  }, [selected, selecting, onToggle, jobId, tabIndex, title]);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- notes where the focus is
    <article
      aria-posinset={place + 1}
      aria-setsize={-1}
      onFocus={() => onActivate(jobId)}
      className="absolute"
      style={box}
    >
      <JobCard job={job} tabIndex={tabIndex} selection={selection} />
    </article>
  );
});
