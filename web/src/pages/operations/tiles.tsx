// The numbers that one looks at first: what is going on now, and what came of the last while.

import { Skeleton } from "@/components/ui/skeleton";
import type {
  GetOverviewResponse,
  GetStatisticsResponse,
} from "@/gen/mediagen/v1/operator_service_pb";
import { cn } from "@/lib/cn";
import { totalOf } from "@/pages/operations/statistics";
import { count, since } from "@/pages/operations/words";

interface TileProps {
  name: string;
  value: number;
  note?: string;
  /** Somebody should look at it. */
  tone?: "warning" | "destructive";
}

const GRID = "grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5";

export function NowTiles({ overview, readMs }: { overview: GetOverviewResponse; readMs: number }) {
  const slots = overview.workers.reduce((sum, worker) => sum + worker.slots, 0);
  const { deadJobs, oldestWaitingTime, parkedJobs, reconcilingJobs, runningJobs, waitingJobs } =
    overview;
  return (
    <dl className={GRID}>
      <Tile
        name="Waiting"
        value={waitingJobs}
        note={oldestWaitingTime ? `longest ${since(oldestWaitingTime, readMs)}` : "nobody waits"}
      />
      <Tile name="Running" value={runningJobs} note={`of ${count(slots)} slots`} />
      <Tile
        name="In doubt"
        value={reconcilingJobs}
        note="a lost answer is looked up"
        {...(reconcilingJobs > 0 && { tone: "warning" })}
      />
      <Tile
        name="Parked"
        value={parkedJobs}
        note="wait for a decision"
        {...(parkedJobs > 0 && { tone: "warning" })}
      />
      <Tile
        name="Given up"
        value={deadJobs}
        note="not decided about"
        {...(deadJobs > 0 && { tone: "destructive" })}
      />
    </dl>
  );
}

export function WindowTiles({ statistics }: { statistics: GetStatisticsResponse }) {
  const completed = totalOf(statistics, "completed");
  const failed = totalOf(statistics, "failed");
  const canceled = totalOf(statistics, "canceled");
  const ended = completed + failed + canceled;
  const share = (part: number): string =>
    ended === 0 ? "" : `${Math.round((part / ended) * 100)} % of those that ended`;
  return (
    <dl className={GRID}>
      <Tile name="Submitted" value={totalOf(statistics, "submitted")} />
      <Tile name="Completed" value={completed} note={share(completed)} />
      <Tile name="Failed" value={failed} note={share(failed)} />
      <Tile name="Canceled" value={canceled} note={share(canceled)} />
      <Tile
        name="Paid calls"
        value={totalOf(statistics, "calls")}
        note="permitted at the provider"
      />
    </dl>
  );
}

function Tile({ name, note, tone, value }: TileProps) {
  return (
    <div className="grid content-start gap-0.5 rounded-xl bg-card px-4 py-3.5 shadow-xs ring-1 ring-black/5 last:col-span-2 sm:last:col-span-1 dark:ring-white/5">
      <dt className="text-xs font-medium text-muted-foreground">{name}</dt>
      <dd
        className={cn(
          "text-2xl font-semibold tracking-tight tabular-nums",
          tone === "warning" && "text-warning",
          tone === "destructive" && "text-destructive",
        )}
      >
        {count(value)}
      </dd>
      <dd className="min-h-4 text-xs text-muted-foreground">{note}</dd>
    </div>
  );
}

export function TilesPlaceholder() {
  return (
    <div className={GRID}>
      {["a", "b", "c", "d", "e"].map((name) => (
        <Skeleton key={name} className="h-[5.75rem] rounded-xl" />
      ))}
    </div>
  );
}
