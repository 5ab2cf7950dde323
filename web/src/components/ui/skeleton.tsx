// The place of something that is still to come. Nothing to read: say once, elsewhere, that it loads.
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

function Skeleton({ className, ...props }: ComponentProps<"div">) {
  return (
    <div
      data-slot="skeleton"
      aria-hidden
      className={cn("animate-pulse rounded-lg bg-secondary", className)}
      {...props}
    />
  );
}

export { Skeleton };
