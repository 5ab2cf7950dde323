// A part of a job's page, with its heading.
import { useId, type ReactNode } from "react";

import { Card } from "@/components/ui/card";

interface SectionCardProps {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}

export function SectionCard({ aside, children, title }: SectionCardProps) {
  const id = useId();
  return (
    <Card className="gap-0 px-5">
      <section aria-labelledby={id} className="grid min-w-0 gap-3">
        <div className="flex min-h-8 flex-wrap items-center justify-between gap-2">
          <h2 id={id} className="font-semibold">
            {title}
          </h2>
          {aside}
        </div>
        {children}
      </section>
    </Card>
  );
}
