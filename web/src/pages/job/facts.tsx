// Names and what they are, one a line.
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

/** The name, what it is, and whether that is to be read letter for letter. */
export type Fact = readonly [name: string, value: ReactNode, look?: "mono"];

export function Facts({ className, facts }: { facts: readonly Fact[]; className?: string }) {
  return (
    <dl
      className={cn(
        "grid grid-cols-[minmax(5.5rem,auto)_1fr] gap-x-4 gap-y-1.5 text-sm",
        className,
      )}
    >
      {facts.map(([name, value, look]) => (
        <div key={name} className="contents">
          <dt className="text-muted-foreground">{name}</dt>
          <dd
            className={cn(
              "min-w-0 break-words",
              look === "mono" && "font-mono text-xs leading-5 break-all",
            )}
          >
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
