// What is selected in the gallery, and how is it changed?
import { useCallback, useMemo, useState } from "react";

import type { GalleryItem } from "@/pages/gallery/gallery-items";
import { extended, NONE, pruned, toggled, type Selection } from "@/pages/gallery/selection";

export interface GallerySelection {
  ids: ReadonlySet<string>;
  /** Selects one or no longer; with `range`, all up to it from the one selected last. */
  toggle: (jobId: string, range: boolean) => void;
  all: () => void;
  clear: () => void;
}

export function useSelection(items: readonly GalleryItem[]): GallerySelection {
  const [state, setState] = useState<Selection>(NONE);
  const order = useMemo(() => items.map(({ jobId }) => jobId), [items]);
  const selection = useMemo(() => pruned(state, new Set(order)), [state, order]);
  const toggle = useCallback(
    (jobId: string, range: boolean) =>
      setState((before) => (range ? extended(before, jobId, order) : toggled(before, jobId))),
    [order],
  );
  return {
    ids: selection.ids,
    toggle,
    all: () => setState({ ids: new Set(order), anchor: order[0] }),
    clear: () => setState(NONE),
  };
}
