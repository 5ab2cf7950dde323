// What does a chart show, and where does each number of it lie?
import { scaleLinear, scaleTime } from "d3-scale";

export interface Series {
  name: string;
  /** A CSS colour: "var(--chart-1)". */
  colour: string;
  /** Beside its colour, so that nobody needs to tell colours apart. */
  look?: "solid" | "dashed" | "dotted" | "striped";
  /** One a step; null where there is nothing to tell. */
  values: readonly (number | null)[];
}

export interface ChartData {
  title: string;
  /** In a sentence: what is shown, and of what. */
  description: string;
  /** When each step begins. */
  times: readonly Date[];
  stepMs: number;
  series: readonly Series[];
  format: (value: number) => string;
  /** Counts have no half ones on the axis. */
  whole: boolean;
  /** Said in place of an empty chart. */
  empty: string;
}

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Tick {
  at: number;
  label: string;
}

export interface Scales {
  /** The middle of a step. */
  x: (step: number) => number;
  y: (value: number) => number;
  stepWidth: number;
  xTicks: readonly Tick[];
  yTicks: readonly Tick[];
}

export function frameOf(width: number, height: number): Frame {
  return { width, height, left: 44, right: 8, top: 10, bottom: 24 };
}

export function scalesOf(data: ChartData, frame: Frame, highest: number): Scales {
  const plotWidth = Math.max(frame.width - frame.left - frame.right, 1);
  const stepWidth = plotWidth / Math.max(data.times.length, 1);
  const least = data.whole ? 4 : 1;
  const y = scaleLinear()
    .domain([0, Math.max(highest, least)])
    .nice(4)
    .range([frame.height - frame.bottom, frame.top]);
  const yTicks = y
    .ticks(4)
    .filter((value) => !data.whole || Number.isInteger(value))
    .map((value) => ({ at: y(value), label: data.format(value) }));
  return {
    x: (step) => frame.left + (step + 0.5) * stepWidth,
    y: (value) => y(value),
    stepWidth,
    xTicks: timeTicks(data, frame, plotWidth),
    yTicks,
  };
}

function timeTicks({ stepMs, times }: ChartData, frame: Frame, plotWidth: number): Tick[] {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return [];
  const end = new Date(last.getTime() + stepMs);
  const x = scaleTime()
    .domain([first, end])
    .range([frame.left, frame.left + plotWidth]);
  const days = end.getTime() - first.getTime() > 2 * 86_400_000;
  const inside = ({ at }: Tick): boolean => at > frame.left + 14 && at < frame.width - 20;
  return x
    .ticks(Math.max(2, Math.floor(plotWidth / 80)))
    .map((time) => ({ at: x(time), label: days ? day(time) : clock(time) }))
    .filter(inside);
}

/** The highest a line goes, or the highest a stack does. */
export function highestOf(series: readonly Series[], stacked: boolean): number {
  const steps = Math.max(0, ...series.map(({ values }) => values.length));
  const at = (step: number): number[] => series.map(({ values }) => values[step] ?? 0);
  const heights = Array.from({ length: steps }, (_, step) =>
    stacked ? at(step).reduce((sum, value) => sum + value, 0) : Math.max(...at(step)),
  );
  return Math.max(0, ...heights);
}

/** Whether there is anything to draw. */
export function isEmpty({ series }: ChartData): boolean {
  return series.every(({ values }) => values.every((value) => value === null || value === 0));
}

/** "14:05", with its day where the steps span several. */
export function momentOf({ stepMs, times }: ChartData, step: number): string {
  const time = times[step];
  if (time === undefined) return "";
  const spanMs = stepMs * times.length;
  return spanMs > 86_400_000 ? `${day(time)}, ${clock(time)}` : clock(time);
}

function clock(time: Date): string {
  return time.toLocaleTimeString(undefined, { timeStyle: "short" });
}

function day(time: Date): string {
  return time.toLocaleDateString(undefined, { day: "numeric", month: "short" });
}
