// A chart of steps of time: drawn, or as a table for who would rather read.
import { ChartColumn, Table2 } from "lucide-react";
import { useId, useState } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import {
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableHeader,
  TableRow,
} from "@/components/ui/table";
import { Sample } from "@/pages/operations/charts/marks";
import { Plot, type PlotProps } from "@/pages/operations/charts/plot";
import { momentOf, type ChartData } from "@/pages/operations/charts/series";
import { cn } from "@/lib/cn";

export function TimeChart({ className, ...plot }: PlotProps & { className?: string }) {
  const [asTable, setAsTable] = useState(false);
  const { data } = plot;
  const id = useId();
  return (
    <Card className={cn("gap-3 px-5", className)}>
      {/* The drawing is as wide as there is room: it must not keep the room from shrinking. */}
      <section aria-labelledby={id} className="grid grid-cols-1 gap-3">
        <div className="flex items-start justify-between gap-3">
          <div className="grid gap-1.5">
            <h3 id={id} className="font-semibold">
              {data.title}
            </h3>
            <Legend data={data} />
          </div>
          <Button
            variant="ghost"
            size="icon-sm"
            className="-mt-1 -mr-2 text-muted-foreground"
            aria-label={`${data.title} as a table`}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? <ChartColumn aria-hidden /> : <Table2 aria-hidden />}
          </Button>
        </div>
        {asTable ? <ChartTable data={data} /> : <Plot {...plot} />}
      </section>
    </Card>
  );
}

function Legend({ data: { series } }: { data: ChartData }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted-foreground">
      {series.map((one) => (
        <li key={one.name} className="flex items-center gap-1.5">
          <Sample series={one} />
          {one.name}
        </li>
      ))}
    </ul>
  );
}

/** The latest first: it is what one looks for. */
function ChartTable({ data }: { data: ChartData }) {
  const steps = data.times.map((_, step) => step).reverse();
  return (
    <div
      role="region"
      // It scrolls, so the keyboard must get there.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={data.title}
      className="h-50 scroll-slim overflow-y-auto"
    >
      <Table>
        <TableHeader>
          <TableRow>
            <TableHead>From</TableHead>
            {data.series.map(({ name }) => (
              <TableHead key={name} className="text-right">
                {name}
              </TableHead>
            ))}
          </TableRow>
        </TableHeader>
        <TableBody>
          {steps.map((step) => (
            <TableRow key={step}>
              <TableCell className="py-1.5 tabular-nums">{momentOf(data, step)}</TableCell>
              {data.series.map(({ name, values }) => (
                <TableCell key={name} className="py-1.5 text-right tabular-nums">
                  {cell(values[step] ?? null, data)}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}

function cell(value: number | null, { format }: ChartData): string {
  return value === null ? "–" : format(value);
}
