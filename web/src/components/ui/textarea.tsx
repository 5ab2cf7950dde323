// A field for many lines. It grows with its text; give it a max-h-* to end that.
import type { ComponentProps } from "react";

import { FIELD } from "@/components/ui/field";
import { cn } from "@/lib/cn";

function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      data-slot="textarea"
      className={cn(FIELD, "field-sizing-content min-h-16 resize-none scroll-slim py-2", className)}
      {...props}
    />
  );
}

export { Textarea };
