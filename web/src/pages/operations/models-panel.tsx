// Which models were used, how often did each succeed, and how long did they take?
import {
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableHeader,
  TableRow,
} from "@/components/ui/table";
import type { ModelStatistics } from "@/gen/mediagen/v1/operator_service_pb";
import { Nothing, Panel } from "@/pages/operations/panel";
import { count, seconds } from "@/pages/operations/words";

const NUMBERS = ["Completed", "Failed", "p50", "p90", "p99"];

interface ModelsPanelProps {
  models: readonly ModelStatistics[];
  /** "in the last hour" */
  words: string;
}

export function ModelsPanel({ models, words }: ModelsPanelProps) {
  return (
    <Panel level={3} title={`Models ${words}`}>
      {models.length === 0 ? (
        <Nothing>No job has ended {words}.</Nothing>
      ) : (
        <Table>
          <TableHeader>
            <TableRow>
              <TableHead className="pl-0">Model</TableHead>
              {NUMBERS.map((name) => (
                <TableHead key={name} className="text-right last:pr-0 max-sm:nth-[n+5]:hidden">
                  {name}
                </TableHead>
              ))}
            </TableRow>
          </TableHeader>
          <TableBody>
            {models.map((model) => (
              <ModelRow key={model.model} model={model} />
            ))}
          </TableBody>
        </Table>
      )}
    </Panel>
  );
}

function ModelRow({ model: { completed, failed, model, total } }: { model: ModelStatistics }) {
  const times = total && [total.p50Seconds, total.p90Seconds, total.p99Seconds];
  return (
    <TableRow>
      <TableCell className="max-w-72 pl-0 font-medium break-words">{model}</TableCell>
      <TableCell className="text-right tabular-nums">{count(completed)}</TableCell>
      <TableCell className="text-right tabular-nums">
        <span className={failed > 0 ? "text-destructive" : undefined}>{count(failed)}</span>
      </TableCell>
      {["p50", "p90", "p99"].map((name, place) => (
        <TableCell
          key={name}
          className="text-right whitespace-nowrap tabular-nums last:pr-0 max-sm:nth-[n+5]:hidden"
        >
          {times?.[place] === undefined ? "–" : seconds(times[place])}
        </TableCell>
      ))}
    </TableRow>
  );
}
