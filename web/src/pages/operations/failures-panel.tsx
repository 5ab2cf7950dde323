// Why did jobs fail, and how often?
import type { FailureStatistics } from "@/gen/mediagen/v1/operator_service_pb";
import { failureTitle } from "@/pages/job/words";
import { Nothing, Panel } from "@/pages/operations/panel";
import { count } from "@/pages/operations/words";

interface FailuresPanelProps {
  failures: readonly FailureStatistics[];
  /** "in the last hour" */
  words: string;
}

export function FailuresPanel({ failures, words }: FailuresPanelProps) {
  const most = Math.max(1, ...failures.map(({ jobs }) => jobs));
  return (
    <Panel level={3} title={`Failures ${words}`}>
      {failures.length === 0 ? (
        <Nothing>No job has failed {words}.</Nothing>
      ) : (
        <ol className="grid gap-3 text-sm">
          {failures.map(({ jobs, reason }) => (
            <li key={reason} className="grid gap-1.5">
              <div className="flex justify-between gap-3">
                {failureTitle(reason)}
                <span className="font-medium tabular-nums">{count(jobs)}</span>
              </div>
              <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-secondary">
                <div
                  className="h-full rounded-full bg-chart-2"
                  style={{ width: `${(jobs / most) * 100}%` }}
                />
              </div>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
