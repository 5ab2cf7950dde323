// A part that scrolls by itself: the browser's own scrolling, with slim bars. (Radix' one brings an
// inline style sheet.) The keyboard reaches it, so it needs a name: `aria-label`.
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

function ScrollArea({ className, ...props }: ComponentProps<"div">) {
  return (
    <div
      data-slot="scroll-area"
      role="region"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached
      tabIndex={0}
      className={cn("scroll-slim overflow-auto rounded-[inherit]", className)}
      {...props}
    />
  );
}

export { ScrollArea };
