// The drawing of a chart, and what it says about the step that the pointer or the keyboard is at.
import {
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from "react";

import { Axes, Lines, Sample, StackedBars } from "@/pages/operations/charts/marks";
import {
  frameOf,
  highestOf,
  isEmpty,
  momentOf,
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

type ReaderProps = Omit<PlotProps, "kind"> & { frame: Frame; scales: Scales };

/** Over the drawing: where the pointer is, or the arrow keys go. */
function Reader({ data, frame, onStep, scales, step }: ReaderProps) {
  const last = data.times.length - 1;
  const at = step ?? last;
  const onPointer = (event: PointerEvent<HTMLDivElement>): void => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const found = Math.floor((x - frame.left) / scales.stepWidth);
    onStep(Math.min(Math.max(found, 0), last));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = stepByKey(event.key, at, last);
    if (to === undefined) return;
    event.preventDefault();
    onStep(to);
  };
  if (last < 0) return null;
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`${data.title}, moment`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at}
      aria-valuetext={sentenceAt(data, at)}
      className="absolute inset-0 touch-pan-y rounded-md"
      onPointerMove={onPointer}
      onPointerDown={onPointer}
      onPointerLeave={() => onStep(undefined)}
      onFocus={(event) => event.target.matches(":focus-visible") && onStep(at)}
      onBlur={() => onStep(undefined)}
      onKeyDown={onKeyDown}
    />
  );
}

function stepByKey(key: string, at: number, last: number): number | undefined {
  const to: Readonly<Record<string, number>> = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - 10,
    PageUp: at + 10,
    Home: 0,
    End: last,
  };
  const found = to[key];
  return found === undefined ? undefined : Math.min(Math.max(found, 0), last);
}

function valueAt(data: ChartData, place: number, step: number): string {
  const value = data.series[place]?.values[step] ?? null;
  return value === null ? "–" : data.format(value);
}

/** "14:05: completed 3, failed 0" */
function sentenceAt(data: ChartData, step: number): string {
  const values = data.series.map(({ name }, place) => `${name} ${valueAt(data, place, step)}`);
  return `${momentOf(data, step)}: ${values.join(", ")}`;
}

function Readout({
  data,
  frame,
  scales,
  step,
}: Omit<CrosshairProps, "kind"> & { data: ChartData }) {
  const x = scales.x(step);
  const side = x > frame.width / 2 ? { right: frame.width - x + 12 } : { left: x + 12 };
  return (
    <div
      aria-hidden
      style={side}
      className="pointer-events-none absolute top-1 grid gap-1 rounded-lg bg-popover/95 px-2.5 py-2 text-xs text-popover-foreground shadow-md ring-1 ring-black/6 dark:ring-white/10"
    >
      <span className="text-muted-foreground tabular-nums">{momentOf(data, step)}</span>
      {data.series.map((series, place) => (
        <span key={series.name} className="flex items-center gap-2">
          <Sample series={series} />
          {series.name}
          <span className="ml-auto pl-3 font-medium tabular-nums">
            {valueAt(data, place, step)}
          </span>
        </span>
      ))}
    </div>
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
