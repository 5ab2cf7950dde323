// What does a chart say about the step that the pointer or the keyboard is at?
import type { KeyboardEvent, PointerEvent } from "react";

import { Sample } from "@/pages/operations/charts/marks";
import {
  momentOf,
  type ChartData,
  type Frame,
  type Scales,
} from "@/pages/operations/charts/series";

interface ReadProps {
  data: ChartData;
  frame: Frame;
  scales: Scales;
}

interface ReaderProps extends ReadProps {
  step: number | undefined;
  onStep: (step: number | undefined) => void;
}

/** Over the drawing: where the pointer is, or the arrow keys go. */
export function Reader({ data, frame, onStep, scales, step }: ReaderProps) {
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

/** Beside the step that is read, on the side that has room. */
export function Readout({ data, frame, scales, step }: ReadProps & { step: number }) {
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
