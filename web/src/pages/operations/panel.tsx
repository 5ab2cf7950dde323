// A card with a heading, for one part of the operations.
import { useId, type ReactNode } from "react";

import { Card } from "@/components/ui/card";
import { cn } from "@/lib/cn";

interface PanelProps {
  title: string;
  /** Of its heading: 3 below another. */
  level?: 2 | 3;
  /** Beside the title. */
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
}

export function Panel({ aside, children, className, level = 2, title }: PanelProps) {
  const Heading = `h${level}` as const;
  const id = useId();
  return (
    <Card className={cn("gap-0 px-5", className)}>
      <section aria-labelledby={id} className="grid min-w-0 content-start gap-3">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <Heading id={id} className="font-semibold">
            {title}
          </Heading>
          {aside}
        </div>
        {children}
      </section>
    </Card>
  );
}

/** There is nothing of it. */
export function Nothing({ children }: { children: ReactNode }) {
  return <p className="py-4 text-sm text-muted-foreground">{children}</p>;
}
