// What does a job of this model cost, as far as one can say before?
import type { Duration } from "@bufbuild/protobuf/wkt";

import { Price_Unit, type Model, type Price } from "@/gen/mediagen/v1/model_pb";

const UNITS: Readonly<Record<Price_Unit, string>> = {
  [Price_Unit.UNSPECIFIED]: "",
  [Price_Unit.OUTPUT]: "each",
  [Price_Unit.RUN_SECOND]: "a second of the run",
  [Price_Unit.OUTPUT_SECOND]: "a second",
  [Price_Unit.MEGAPIXEL]: "a megapixel",
  [Price_Unit.RUN]: "a run",
};

/** "$0.003 each". undefined where it is not known. */
export function priceText(price: Price | undefined): string | undefined {
  if (price === undefined || price.usd <= 0) return undefined;
  return `${usd(price.usd)} ${UNITS[price.unit]}`.trim();
}

export interface Estimate {
  usd: number;
  /** Whether it rests on how long such a job usually takes. */
  rough: boolean;
}

/** For so many results, and so many seconds of each where that is said. */
export function estimate(
  { price, runTime }: Pick<Model, "price" | "runTime">,
  outputs: number,
  secondsOfOutput: number | undefined,
): Estimate | undefined {
  if (price === undefined || price.usd <= 0) return undefined;
  switch (price.unit) {
    case Price_Unit.OUTPUT:
      return { usd: price.usd * outputs, rough: false };
    case Price_Unit.RUN:
      return { usd: price.usd, rough: false };
    case Price_Unit.RUN_SECOND: {
      const seconds = secondsOf(runTime?.p50);
      return seconds === undefined ? undefined : { usd: price.usd * seconds, rough: true };
    }
    case Price_Unit.OUTPUT_SECOND:
      return secondsOfOutput === undefined
        ? undefined
        : { usd: price.usd * secondsOfOutput * outputs, rough: false };
    default:
      return undefined;
  }
}

/** With as many digits as a small price needs: "$0.000975", "$0.04", "$1.20". */
export function usd(amount: number): string {
  const digits = Math.max(2, 2 - Math.floor(Math.log10(amount)));
  const text = amount.toFixed(Math.min(digits, 8));
  // "0.0400" says no more than "0.04": two digits stay.
  return `$${text.replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

export function secondsOf(duration: Duration | undefined): number | undefined {
  return duration && Number(duration.seconds) + duration.nanos / 1e9;
}

/** "usually 4 s". */
export function timeText({ runTime }: Pick<Model, "runTime">): string | undefined {
  const seconds = secondsOf(runTime?.p50);
  return seconds === undefined ? undefined : `~${span(seconds)}`;
}

function span(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}
