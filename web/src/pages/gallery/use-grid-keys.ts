// What do keys do among the cards? Arrows go, Space and x select, Delete cancels, r tries again.
import { useEffect, useRef, type KeyboardEvent, type RefObject } from "react";

import { useShortcut } from "@/app/shortcuts";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { useJobActions } from "@/jobs/job-actions";
import { retryOffer } from "@/jobs/stakes";
import { useLiveStore } from "@/live/hooks";
import type { GalleryItem } from "@/pages/gallery/gallery-items";
import { neighbor, type Layout } from "@/pages/gallery/justified-layout";
import type { GallerySelection } from "@/pages/gallery/use-selection";

interface GridKeysOptions {
  container: RefObject<HTMLElement | null>;
  items: readonly GalleryItem[];
  layout: Layout;
  /** The place of the card to which Tab comes. */
  active: number;
  setActive: (jobId: string) => void;
  selection: GallerySelection;
  /** Scrolls so that the card in this place can be seen. */
  reveal: (place: number) => void;
}

/** What the container is to do with the keys pressed in it. */
export function useGridKeys(options: GridKeysOptions): (event: KeyboardEvent) => void {
  const { container, items, layout, active, setActive, selection, reveal } = options;
  const { cancel, retry } = useJobActions();
  const store = useLiveStore();
  const wanted = useRef<string>(undefined);
  // The card may have come into being by this very drawing.
  useEffect(() => {
    const link = wanted.current && linkOf(container.current, wanted.current);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });

  const go = (to: number, extend: boolean): void => {
    const place = Math.min(layout.boxes.length - 1, Math.max(0, to));
    const [item, from] = [items[place], items[active]];
    if (item === undefined) return;
    if (extend && selection.ids.size === 0 && from) selection.toggle(from.jobId, false);
    if (extend) selection.toggle(item.jobId, true);
    wanted.current = item.jobId;
    setActive(item.jobId);
    reveal(place);
  };
  const now = (item: GalleryItem): Job => store.job(item.jobId) ?? item.job;
  const chosen = (): Job[] => {
    if (selection.ids.size > 0)
      return items.filter(({ jobId }) => selection.ids.has(jobId)).map(now);
    return items.slice(active, active + 1).map(now);
  };
  const act = (event: KeyboardEvent): (() => void) | undefined => {
    const toggle = (): void => {
      const item = items[active];
      if (item) selection.toggle(item.jobId, event.shiftKey);
    };
    switch (event.key) {
      case "ArrowLeft":
        return () => go(active - 1, event.shiftKey);
      case "ArrowRight":
        return () => go(active + 1, event.shiftKey);
      case "ArrowUp":
        return () => go(neighbor(layout, active, -1), event.shiftKey);
      case "ArrowDown":
        return () => go(neighbor(layout, active, 1), event.shiftKey);
      case "Home":
        return () => go(0, event.shiftKey);
      case "End":
        return () => go(items.length - 1, event.shiftKey);
      case " ":
      case "x":
      case "X":
        return toggle;
      case "Delete":
        return () => cancel(chosen());
      case "r":
        return () => {
          const [job] = items.slice(active, active + 1).map(now);
          if (job && !["none", "change"].includes(retryOffer(job))) retry(job);
        };
      case "Escape":
        return selection.ids.size > 0 ? selection.clear : undefined;
      default:
        return undefined;
    }
  };
  useListed();
  return (event) => {
    // A button or a menu in the card has its own keys.
    if (!isOnLink(event)) return;
    const withMod = event.ctrlKey || event.metaKey || event.altKey;
    const isAll = withMod && !event.altKey && event.key === "a";
    const action = isAll ? selection.all : withMod ? undefined : act(event);
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
}

function isOnLink(event: KeyboardEvent): boolean {
  return event.target instanceof HTMLAnchorElement;
}

function linkOf(container: HTMLElement | null, jobId: string): HTMLElement | null {
  return container?.querySelector<HTMLElement>(`[data-job-id="${CSS.escape(jobId)}"] a`) ?? null;
}

/** For the help. */
function useListed(): void {
  const group = "This page" as const;
  useShortcut({ keys: "arrowright", label: "The next card; all arrows go", group });
  useShortcut({ keys: "enter", label: "Open the card", group });
  useShortcut({ keys: "space", label: "Select the card", group });
  useShortcut({ keys: "x", label: "Select the card", group });
  useShortcut({ keys: "shift+arrowright", label: "Select up to the next card", group });
  useShortcut({ keys: "mod+a", label: "Select all", group });
  useShortcut({ keys: "escape", label: "Select none", group });
  useShortcut({ keys: "delete", label: "Cancel", group });
  useShortcut({ keys: "r", label: "Retry", group });
}
