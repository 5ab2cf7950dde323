// How it went: all charts, and one moment read in all of them.
import { useMemo, useState } from "react";

import { Skeleton } from "@/components/ui/skeleton";
import type { GetStatisticsResponse } from "@/gen/mediagen/v1/operator_service_pb";
import { TimeChart } from "@/pages/operations/charts/time-chart";
import { calls, latency, throughput, unfinished, waiting } from "@/pages/operations/statistics";

const GRID = "grid grid-cols-1 gap-4 lg:grid-cols-2";

export function ChartsSection({ statistics }: { statistics: GetStatisticsResponse }) {
  const [step, setStep] = useState<number>();
  const charts = useMemo(
    () => ({
      throughput: throughput(statistics),
      latency: latency(statistics),
      waiting: waiting(statistics),
      unfinished: unfinished(statistics),
      calls: calls(statistics),
    }),
    [statistics],
  );
  const last = statistics.steps.length - 1;
  const read = { step: step === undefined ? undefined : Math.min(step, last), onStep: setStep };
  return (
    <div className={GRID}>
      <TimeChart data={charts.throughput} kind="bars" {...read} className="lg:col-span-2" />
      <TimeChart data={charts.latency} kind="lines" {...read} />
      <TimeChart data={charts.waiting} kind="lines" {...read} />
      <TimeChart data={charts.unfinished} kind="area" {...read} />
      <TimeChart data={charts.calls} kind="area" {...read} />
    </div>
  );
}

export function ChartsPlaceholder() {
  return (
    <div className={GRID}>
      <Skeleton className="h-[18.5rem] rounded-xl lg:col-span-2" />
      {["latency", "waiting", "unfinished", "calls"].map((name) => (
        <Skeleton key={name} className="h-[18.5rem] rounded-xl" />
      ))}
    </div>
  );
}
