// What is drawn of a chart: its axes, stacked bars, lines.
import { area, line } from "d3-shape";
import { memo, useId } from "react";

import type { Frame, Scales, Series } from "@/pages/operations/charts/series";

const DASHES: Readonly<Record<string, string>> = { dashed: "6 4", dotted: "1.5 4" };

interface MarksProps {
  frame: Frame;
  scales: Scales;
  series: readonly Series[];
}

export function Axes({ frame, scales }: Omit<MarksProps, "series">) {
  return (
    <g className="fill-muted-foreground text-[0.6875rem] tabular-nums">
      {scales.yTicks.map(({ at, label }) => (
        <g key={label}>
          <line
            x1={frame.left}
            x2={frame.width - frame.right}
            y1={at}
            y2={at}
            className="stroke-border"
            strokeDasharray={at < frame.height - frame.bottom ? "2 4" : undefined}
          />
          <text x={frame.left - 8} y={at} dy="0.32em" textAnchor="end">
            {label}
          </text>
        </g>
      ))}
      {scales.xTicks.map(({ at, label }) => (
        <text key={at} x={at} y={frame.height - 6} textAnchor="middle">
          {label}
        </text>
      ))}
    </g>
  );
}

/** One on top of the other, the first at the bottom. */
export const StackedBars = memo(function StackedBars({ scales, series }: MarksProps) {
  const id = useId();
  const steps = series[0]?.values.length ?? 0;
  const width = Math.max(1, scales.stepWidth - Math.min(3, scales.stepWidth * 0.25));
  return (
    <g>
      <defs>
        {series.map(({ colour, look }, place) =>
          look === "striped" ? <Stripes key={place} id={`${id}-${place}`} colour={colour} /> : null,
        )}
      </defs>
      {Array.from({ length: steps }, (_, step) => {
        let below = 0;
        return series.map(({ colour, look, name, values }, place) => {
          const value = values[step] ?? 0;
          if (value === 0) return null;
          const bottom = scales.y(below);
          below += value;
          const top = scales.y(below);
          return (
            <rect
              key={`${step} ${name}`}
              x={scales.x(step) - width / 2}
              width={width}
              y={top}
              height={Math.max(bottom - top, 1)}
              rx={Math.min(2, width / 3)}
              fill={look === "striped" ? `url(#${id}-${place})` : colour}
            />
          );
        });
      })}
    </g>
  );
});

function Stripes({ colour, id }: { colour: string; id: string }) {
  return (
    <pattern
      id={id}
      width={5}
      height={5}
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <rect width={5} height={5} fill={colour} fillOpacity={0.45} />
      <rect width={2.5} height={5} fill={colour} />
    </pattern>
  );
}

interface LinesProps extends MarksProps {
  /** Under the first line, too. */
  filled?: boolean;
}

export const Lines = memo(function Lines({ filled = false, frame, scales, series }: LinesProps) {
  return (
    <g fill="none" strokeLinejoin="round" strokeLinecap="round">
      {series.map((one, place) => (
        <g key={one.name}>
          {filled && place === 0 && <Area frame={frame} scales={scales} series={one} />}
          <path
            d={pathOf(one, scales)}
            stroke={one.colour}
            strokeWidth={1.75}
            strokeDasharray={DASHES[one.look ?? "solid"]}
          />
          {one.values.map((value, step) =>
            value !== null && isAlone(one.values, step) ? (
              <circle
                key={step}
                cx={scales.x(step)}
                cy={scales.y(value)}
                r={2.5}
                fill={one.colour}
              />
            ) : null,
          )}
        </g>
      ))}
    </g>
  );
});

function Area({ frame, scales, series }: { frame: Frame; scales: Scales; series: Series }) {
  const shape = area<number | null>()
    .defined((value) => value !== null)
    .x((_, step) => scales.x(step))
    .y0(frame.height - frame.bottom)
    .y1((value) => scales.y(value ?? 0));
  return <path d={shape([...series.values]) ?? ""} fill={series.colour} fillOpacity={0.14} />;
}

function pathOf({ values }: Series, scales: Scales): string {
  const shape = line<number | null>()
    .defined((value) => value !== null)
    .x((_, step) => scales.x(step))
    .y((value) => scales.y(value ?? 0));
  return shape([...values]) ?? "";
}

/** A line needs two: one alone is a dot. */
function isAlone(values: readonly (number | null)[], step: number): boolean {
  return (values[step - 1] ?? null) === null && (values[step + 1] ?? null) === null;
}

/** How a line or a bar looks, for the legend. */
export function Sample({ series: { colour, look } }: { series: Series }) {
  return (
    <svg aria-hidden width={16} height={8} className="shrink-0">
      <line
        x1={look === "striped" ? 4 : 1}
        x2={look === "striped" ? 12 : 15}
        y1={4}
        y2={4}
        stroke={colour}
        strokeWidth={look === "striped" ? 8 : 2.5}
        strokeDasharray={look === "striped" ? "2 1" : DASHES[look ?? "solid"]}
        strokeLinecap={look === "dotted" ? "round" : "butt"}
      />
    </svg>
  );
}
