// How does the page behind a dialog or a menu stay where it is, without an inline style sheet?
//
// Radix imports this in place of react-remove-scroll (see vite.config.ts), which appends a <style>
// that our Content-Security-Policy refuses. Styles set through the DOM are allowed. The document does
// not scroll while at least one of these is there, and nothing on it moves.
import { Slot } from "radix-ui";
import { useLayoutEffect, type ComponentProps, type ElementType, type RefObject } from "react";

interface RemoveScrollProps extends ComponentProps<"div"> {
  as?: ElementType;
  enabled?: boolean;
  // Of the other one's props those that Radix gives, which this one has no use for.
  allowPinchZoom?: boolean;
  shards?: RefObject<HTMLElement | null>[];
}

let locks = 0;

function lock(): () => void {
  locks += 1;
  if (locks === 1) hold();
  return () => {
    locks -= 1;
    if (locks === 0) release();
  };
}

function hold(): void {
  const { documentElement: root, body } = document;
  // The bar's room goes to the overlay; what is under it keeps its width. (`clientWidth` counts the
  // room as the document's while there is nothing to scroll.)
  body.style.paddingRight = `${window.innerWidth - root.getBoundingClientRect().width}px`;
  root.style.scrollbarGutter = "auto";
  root.style.overflow = "hidden";
}

function release(): void {
  const { documentElement: root, body } = document;
  body.style.removeProperty("padding-right");
  root.style.removeProperty("scrollbar-gutter");
  root.style.removeProperty("overflow");
}

export function RemoveScroll({
  as: Component = Slot.Root,
  enabled = true,
  allowPinchZoom,
  shards,
  ...props
}: RemoveScrollProps) {
  useLayoutEffect(() => (enabled ? lock() : undefined), [enabled]);
  return <Component {...props} />;
}
