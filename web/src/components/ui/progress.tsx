// How far something is. `value={null}`: it goes on, and nobody knows how far it is.
import { Progress as ProgressPrimitive } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

function Progress({ className, value, ...props }: ComponentProps<typeof ProgressPrimitive.Root>) {
  const known = value !== null && value !== undefined;
  return (
    <ProgressPrimitive.Root
      data-slot="progress"
      value={value ?? null}
      className={cn("relative h-1.5 w-full overflow-hidden rounded-full bg-secondary", className)}
      {...props}
    >
      <ProgressPrimitive.Indicator
        className={cn(
          "h-full rounded-full bg-primary",
          known
            ? "origin-left transition-[width] duration-300"
            : "w-2/5 animate-glide motion-reduce:w-full motion-reduce:opacity-40",
        )}
        style={known ? { width: `${value}%` } : undefined}
      />
    </ProgressPrimitive.Root>
  );
}

export { Progress };
