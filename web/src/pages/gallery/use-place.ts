// How wide is an element, and how far down the page does it begin?
import { useLayoutEffect, useState, type RefObject } from "react";

export interface Place {
  width: number;
  top: number;
}

export function usePlace(ref: RefObject<HTMLElement | null>): Place {
  const [place, setPlace] = useState<Place>({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const look = (): void => {
      const { left, right, top } = element.getBoundingClientRect();
      const now = { width: Math.floor(right - left), top: top + window.scrollY };
      setPlace((before) => (before.width === now.width && before.top === now.top ? before : now));
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [ref]);
  return place;
}
