// What may a job have cost? The price of its model, times what it made and how long it ran.
import { Charge } from "@/gen/mediagen/v1/attempt_pb";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { Price_Unit, type Price } from "@/gen/mediagen/v1/model_pb";
import { priceText, secondsOf, usd } from "@/models/price";

export interface Estimate {
  usd: number;
  /** What was counted: "2 × $0.003 each". */
  basis: string;
}

/** undefined: it can not be said, or nothing is billed. */
export function estimateOf(job: Job, price: Price | undefined): Estimate | undefined {
  const each = priceText(price);
  if (price === undefined || each === undefined || job.charge === Charge.NO) return undefined;
  const count = countOf(job, price.unit);
  if (count === undefined || count === 0) return undefined;
  return { usd: price.usd * count, basis: `${amount(count)} × ${each}` };
}

/** "about $0.006 (2 × $0.003 each)" */
export function estimateText(estimate: Estimate): string {
  return `about ${usd(estimate.usd)} (${estimate.basis})`;
}

/** How long the model ran in all, in seconds, as far as the provider says. */
export function runSeconds({ attempts }: Job): number {
  return sum(attempts.map(({ predictSeconds = 0 }) => predictSeconds));
}

function countOf(job: Job, unit: Price_Unit): number | undefined {
  const billed = job.attempts.filter(({ charge }) => charge !== Charge.NO);
  switch (unit) {
    case Price_Unit.OUTPUT:
      return job.artifacts.length;
    case Price_Unit.RUN_SECOND:
      return sum(billed.map(({ predictSeconds = 0 }) => predictSeconds));
    case Price_Unit.OUTPUT_SECOND:
      return sum(job.artifacts.map(({ duration }) => secondsOf(duration) ?? 0));
    case Price_Unit.MEGAPIXEL:
      return sum(job.artifacts.map(({ height, width }) => (width * height) / 1e6));
    case Price_Unit.RUN:
      return billed.length;
    default:
      return undefined;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function amount(count: number): string {
  return Number.isInteger(count) ? count.toString() : count.toFixed(2);
}
