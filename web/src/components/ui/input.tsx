// A field for one line.
import type { ComponentProps } from "react";

import { FIELD } from "@/components/ui/field";
import { cn } from "@/lib/cn";

function Input({ className, type, ...props }: ComponentProps<"input">) {
  return (
    <input
      data-slot="input"
      type={type ?? "text"}
      className={cn(
        FIELD,
        "h-9 py-1 file:mr-3 file:inline-flex file:h-7 file:border-0 file:bg-transparent file:text-sm file:font-medium",
        className,
      )}
      {...props}
    />
  );
}

export { Input };
