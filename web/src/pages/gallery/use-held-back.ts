// Which cards are shown while one looks at older ones? Those that were there: nothing moves.
import { useEffect, useMemo, useState } from "react";

import type { GalleryItem } from "@/pages/gallery/gallery-items";

/** Further down than this, one looks at older ones. */
const DOWN_PX = 240;

interface HeldBack {
  shown: readonly GalleryItem[];
  /** How many are newer than those. */
  newer: number;
  showNewer: () => void;
}

export function useHeldBack(items: readonly GalleryItem[]): HeldBack {
  const down = useScrolledDown();
  const [first, setFirst] = useState<string>();
  const newest = items[0]?.jobId;
  // Noted as the scrolling begins, and forgotten when it is back at the top.
  if (down && first === undefined && newest !== undefined) setFirst(newest);
  if (!down && first !== undefined) setFirst(undefined);
  const newer = useMemo(
    () =>
      first === undefined
        ? 0
        : Math.max(
            0,
            items.findIndex(({ jobId }) => jobId === first),
          ),
    [items, first],
  );
  const shown = useMemo(() => (newer === 0 ? items : items.slice(newer)), [items, newer]);
  return {
    shown,
    newer,
    showNewer: () => {
      setFirst(newest);
      window.scrollTo({ top: 0 });
    },
  };
}

function useScrolledDown(): boolean {
  const [down, setDown] = useState(() => window.scrollY > DOWN_PX);
  useEffect(() => {
    const look = (): void => setDown(window.scrollY > DOWN_PX);
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, []);
  return down;
}
