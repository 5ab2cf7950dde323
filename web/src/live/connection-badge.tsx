// Is what the page shows live? A word in the top bar; what it means opens on demand.
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { cn } from "@/lib/cn";

import type { ConnectionStatus } from "@/live/connection";
import { useConnection, useNow } from "@/live/hooks";

interface Words {
  name: string;
  meaning: string;
  dot: string;
}

const WORDS: Readonly<Record<ConnectionStatus, Words>> = {
  connecting: {
    name: "Connecting",
    meaning: "The page is asking for the jobs.",
    dot: "bg-muted-foreground animate-pulse",
  },
  live: {
    name: "Live",
    meaning: "Every change of a job is shown as it happens.",
    dot: "bg-success",
  },
  reconnecting: {
    name: "Reconnecting",
    meaning:
      "The service can not be reached just now; the page tries again by itself. Jobs go on meanwhile, and all that changed is shown once it is back.",
    dot: "bg-destructive animate-pulse",
  },
  stale: {
    name: "Stale",
    meaning:
      "The live stream does not come through, so the page asks every few seconds instead. It goes live by itself as soon as it can.",
    dot: "bg-warning",
  },
};

export function ConnectionBadge() {
  const { status, rightAt } = useConnection();
  const { name, meaning, dot } = WORDS[status];
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button
          variant="ghost"
          size="sm"
          data-status={status}
          aria-label={`Connection: ${name}`}
          className="gap-2 text-muted-foreground"
        >
          <span className={cn("size-2 rounded-full", dot)} aria-hidden />
          <span className={cn(status === "live" && "max-sm:sr-only")}>{name}</span>
        </Button>
      </PopoverTrigger>
      <span role="status" className="sr-only">
        {status === "connecting" ? "" : `Connection: ${name}`}
      </span>
      <PopoverContent align="end" className="text-sm">
        <p className="font-medium">{name}</p>
        <p className="mt-1 text-pretty text-muted-foreground">{meaning}</p>
        {rightAt !== undefined && <Age rightAt={rightAt} />}
      </PopoverContent>
    </Popover>
  );
}

function Age({ rightAt }: { rightAt: number }) {
  const seconds = Math.max(0, Math.round((useNow() - rightAt) / 1000));
  return <p className="mt-2 text-muted-foreground tabular-nums">Right as of {seconds} s ago.</p>;
}
