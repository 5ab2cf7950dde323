// The cards in full rows. Only those near the screen exist, however many there are.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { defaultRangeExtractor, useWindowVirtualizer, type Range } from "@tanstack/react-virtual";

import { CAPTION_HEIGHT } from "@/jobs/job-card";
import { GalleryCard } from "@/pages/gallery/gallery-card";
import type { GalleryItem } from "@/pages/gallery/gallery-items";
import { justified, rowOf } from "@/pages/gallery/justified-layout";
import { useGridKeys } from "@/pages/gallery/use-grid-keys";
import { usePlace } from "@/pages/gallery/use-place";
import type { GallerySelection } from "@/pages/gallery/use-selection";

/** The bars at the top cover so much of the window. */
const COVERED_PX = 128;
const BELOW_PX = 88;
/** So many rows beyond the screen exist; with as many left, older jobs are asked for. */
const ROWS_AHEAD = 3;

interface GalleryGridProps {
  items: readonly GalleryItem[];
  selection: GallerySelection;
  /** There are no older ones. */
  complete: boolean;
  onNearEnd: () => void;
}

export function GalleryGrid({ items, selection, complete, onNearEnd }: GalleryGridProps) {
  const container = useRef<HTMLDivElement>(null);
  const { width, top } = usePlace(container);
  const phone = width < 560;
  const layout = useMemo(() => {
    const ratios = items.map(({ ratio }) => ratio);
    const picture = phone ? 176 : 250;
    const gap = phone ? 10 : 14;
    return justified(ratios, { width, picture, caption: CAPTION_HEIGHT, gap, complete });
  }, [items, width, phone, complete]);
  const [activeId, setActiveId] = useState<string>();
  const activeAt = items.findIndex(({ jobId }) => jobId === activeId);
  const activeRow = rowOf(layout, activeAt);
  const virtualizer = useWindowVirtualizer({
    count: width > 0 ? layout.rows.length : 0,
    estimateSize: (row) => layout.rows[row]?.height ?? 0,
    gap: phone ? 10 : 14,
    overscan: ROWS_AHEAD,
    scrollMargin: top,
    scrollPaddingStart: COVERED_PX,
    scrollPaddingEnd: BELOW_PX,
    // The card that has the focus stays, however far away one scrolls.
    rangeExtractor: useCallback(
      (range: Range) => withRow(defaultRangeExtractor(range), activeRow),
      [activeRow],
    ),
  });
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, layout]);
  const inView = virtualizer.range ?? { startIndex: 0, endIndex: 0 };
  // Tab comes to the card that had the focus last, else to the first that can be seen.
  const active = activeAt < 0 ? (layout.rows[inView.startIndex]?.first ?? 0) : activeAt;
  const onKeyDown = useGridKeys({
    container,
    items,
    layout,
    active,
    setActive: setActiveId,
    selection,
    reveal: (place) => virtualizer.scrollToIndex(rowOf(layout, place), { align: "auto" }),
  });
  const nearEnd = width > 0 && inView.endIndex + ROWS_AHEAD >= layout.rows.length;
  useEffect(() => {
    if (nearEnd) onNearEnd();
  }, [nearEnd, onNearEnd, items]);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of its links
    <div
      ref={container}
      role="feed"
      aria-label="Jobs, newest first"
      onKeyDown={onKeyDown}
      className="relative"
      style={{ height: layout.height }}
    >
      {virtualizer.getVirtualItems().flatMap(({ index }) => {
        const row = layout.rows[index];
        return items.slice(row?.first, row?.end).map((item, at) => {
          const place = (row?.first ?? 0) + at;
          const box = layout.boxes[place];
          return (
            box && (
              <GalleryCard
                key={item.jobId}
                item={item}
                box={box}
                place={place}
                active={place === active}
                selected={selection.ids.has(item.jobId)}
                selecting={selection.ids.size > 0}
                onToggle={selection.toggle}
                onActivate={setActiveId}
              />
            )
          );
        });
      })}
    </div>
  );
}

function withRow(rows: number[], row: number): number[] {
  return row < 0 || rows.includes(row) ? rows : [...rows, row].sort((a, b) => a - b);
}
