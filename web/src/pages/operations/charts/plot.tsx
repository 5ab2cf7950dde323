// The drawing of a chart.
import { useEffect, useId, useMemo, useRef, useState } from "react";

import { Axes, Lines, StackedBars } from "@/pages/operations/charts/marks";
import { Reader, Readout } from "@/pages/operations/charts/reading";
import {
  frameOf,
  highestOf,
  isEmpty,
  scalesOf,
  type ChartData,
  type Frame,
  type Scales,
} from "@/pages/operations/charts/series";

export type ChartKind = "bars" | "lines" | "area";

export interface PlotProps {
  data: ChartData;
  kind: ChartKind;
  /** The step that is read, of all charts beside each other. */
  step: number | undefined;
  onStep: (step: number | undefined) => void;
}

const HEIGHT = 200;

export function Plot({ data, kind, onStep, step }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const id = useId();
  const frame = useMemo(() => frameOf(width, HEIGHT), [width]);
  const scales = useMemo(
    () => scalesOf(data, frame, highestOf(data.series, kind === "bars")),
    [data, frame, kind],
  );
  const marks = { frame, scales, series: data.series };
  return (
    <div ref={box} className="relative h-50">
      {width > 0 && (
        <svg
          role="img"
          aria-labelledby={`${id}-title`}
          aria-describedby={`${id}-desc`}
          width={width}
          height={HEIGHT}
          className="block"
        >
          <title id={`${id}-title`}>{data.title}</title>
          <desc id={`${id}-desc`}>{data.description}</desc>
          <Axes frame={frame} scales={scales} />
          {step !== undefined && (
            <Crosshair frame={frame} scales={scales} step={step} kind={kind} />
          )}
          {kind === "bars" ? (
            <StackedBars {...marks} />
          ) : (
            <Lines {...marks} filled={kind === "area"} />
          )}
        </svg>
      )}
      {isEmpty(data) && (
        <p className="absolute inset-0 grid place-content-center text-sm text-muted-foreground">
          {data.empty}
        </p>
      )}
      <Reader data={data} frame={frame} scales={scales} step={step} onStep={onStep} />
      {step !== undefined && <Readout data={data} frame={frame} scales={scales} step={step} />}
    </div>
  );
}

interface CrosshairProps {
  frame: Frame;
  scales: Scales;
  step: number;
  kind: ChartKind;
}

function Crosshair({ frame, kind, scales, step }: CrosshairProps) {
  const width = kind === "bars" ? scales.stepWidth : 1;
  return (
    <rect
      x={scales.x(step) - width / 2}
      width={width}
      y={frame.top}
      height={frame.height - frame.top - frame.bottom}
      className={kind === "bars" ? "fill-foreground/8" : "fill-foreground/40"}
    />
  );
}

function useWidth(box: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observed = box.current;
    if (observed === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(observed);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
