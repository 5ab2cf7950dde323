// Who works, on how much, and when was each last heard of?
import {
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableHeader,
  TableRow,
} from "@/components/ui/table";
import type { WorkerOverview } from "@/gen/mediagen/v1/operator_service_pb";
import { Nothing, Panel } from "@/pages/operations/panel";
import { count, since } from "@/pages/operations/words";

interface WorkersPanelProps {
  workers: readonly WorkerOverview[];
  /** When this was read. */
  readMs: number;
}

export function WorkersPanel({ readMs, workers }: WorkersPanelProps) {
  return (
    <Panel title="Workers">
      {workers.length === 0 ? (
        <Nothing>No worker was heard of lately. Jobs wait until there is one.</Nothing>
      ) : (
        <Table>
          <TableHeader>
            <TableRow>
              <TableHead className="pl-0">Worker</TableHead>
              <TableHead>Busy</TableHead>
              <TableHead className="pr-0 text-right">Last heard of</TableHead>
            </TableRow>
          </TableHeader>
          <TableBody>
            {workers.map((worker) => (
              <TableRow key={worker.workerId}>
                <TableCell
                  title={worker.workerId}
                  className="max-w-56 truncate pl-0 font-mono text-xs max-sm:max-w-28"
                >
                  {worker.workerId}
                </TableCell>
                <TableCell>
                  <Busy worker={worker} />
                </TableCell>
                <TableCell className="pr-0 text-right whitespace-nowrap tabular-nums">
                  {worker.seenTime ? `${since(worker.seenTime, readMs)} ago` : "–"}
                </TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </Panel>
  );
}

function Busy({ worker: { running, slots } }: { worker: WorkerOverview }) {
  const share = slots === 0 ? 0 : Math.min(running / slots, 1);
  return (
    <div className="flex items-center gap-2.5">
      <div
        aria-hidden
        className="h-1.5 w-20 overflow-hidden rounded-full bg-secondary max-sm:hidden"
      >
        <div className="h-full rounded-full bg-primary" style={{ width: `${share * 100}%` }} />
      </div>
      <span className="whitespace-nowrap tabular-nums">
        {count(running)} of {count(slots)}
      </span>
    </div>
  );
}
