// How does a key put the focus into a field of a page that may not be there yet?
import { useEffect, type RefObject } from "react";

export type FocusTarget = "prompt" | "search";

const present = new Map<FocusTarget, RefObject<HTMLElement | null>>();
let awaited: FocusTarget | null = null;

/** Says that the element of `ref` is the page's prompt, or its search. */
export function useFocusTarget(name: FocusTarget, ref: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    present.set(name, ref);
    if (awaited === name) focusTarget(name);
    return () => {
      if (present.get(name) === ref) present.delete(name);
    };
  }, [name, ref]);
}

/** Puts the focus there. If the page has none, the next one to have it gets the focus: false. */
export function focusTarget(name: FocusTarget): boolean {
  const element = present.get(name)?.current ?? null;
  awaited = element === null ? name : null;
  element?.focus();
  return element !== null;
}

/** Whether a field waits for the focus, which a new page then leaves alone. */
export function isFocusAwaited(): boolean {
  return awaited !== null;
}
