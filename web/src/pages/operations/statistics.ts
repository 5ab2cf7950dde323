// What do the charts show of the statistics?
import { durationMs, timestampDate } from "@bufbuild/protobuf/wkt";

import type {
  GetStatisticsResponse,
  StatisticsStep,
  StatisticsTimes,
} from "@/gen/mediagen/v1/operator_service_pb";
import type { ChartData, Series } from "@/pages/operations/charts/series";
import { count, seconds } from "@/pages/operations/words";

type Counted = "submitted" | "completed" | "failed" | "canceled" | "calls";

/** Over all steps. */
export function totalOf({ steps }: GetStatisticsResponse, counted: Counted): number {
  return steps.reduce((sum, step) => sum + step[counted], 0);
}

export function throughput(statistics: GetStatisticsResponse): ChartData {
  return chart(statistics, {
    title: "Jobs that ended",
    description: "Per step, how many jobs completed, failed and were canceled, stacked.",
    empty: "No job has ended in this time.",
    series: [
      counts(statistics, "Completed", "var(--chart-5)", ({ completed }) => completed),
      {
        ...counts(statistics, "Failed", "var(--chart-2)", ({ failed }) => failed),
        look: "striped",
      },
      counts(statistics, "Canceled", "var(--muted-foreground)", ({ canceled }) => canceled),
    ],
  });
}

export function latency(statistics: GetStatisticsResponse): ChartData {
  return chart(statistics, {
    title: "Time to the result",
    description: "Per step, how long completed jobs had taken since they were submitted.",
    empty: "No job has completed in this time.",
    series: percentiles(statistics, ({ total }) => total),
    format: seconds,
    whole: false,
  });
}

export function waiting(statistics: GetStatisticsResponse): ChartData {
  return chart(statistics, {
    title: "Time in the queue",
    description: "Per step, how long jobs had waited when a worker took them.",
    empty: "No job was taken in this time.",
    series: percentiles(statistics, ({ wait }) => wait),
    format: seconds,
    whole: false,
  });
}

export function unfinished(statistics: GetStatisticsResponse): ChartData {
  return chart(statistics, {
    title: "Unfinished jobs",
    description: "How many jobs waited or ran at the end of each step.",
    empty: "No job waited or ran at the end of a step.",
    series: [counts(statistics, "Waiting or running", "var(--chart-1)", (step) => step.unfinished)],
  });
}

export function calls(statistics: GetStatisticsResponse): ChartData {
  return chart(statistics, {
    title: "Paid calls and submissions",
    description: "Per step, how many calls to the provider were permitted and jobs were accepted.",
    empty: "Nothing was submitted in this time.",
    series: [
      counts(statistics, "Calls to the provider", "var(--chart-4)", (step) => step.calls),
      {
        ...counts(statistics, "Jobs accepted", "var(--chart-1)", ({ submitted }) => submitted),
        look: "dashed",
      },
    ],
  });
}

type Said = Pick<ChartData, "title" | "description" | "empty" | "series"> &
  Partial<Pick<ChartData, "format" | "whole">>;

function chart({ step, steps }: GetStatisticsResponse, said: Said): ChartData {
  const times = steps.map(({ startTime }) => (startTime ? timestampDate(startTime) : new Date(0)));
  return { times, stepMs: step ? durationMs(step) : 0, format: count, whole: true, ...said };
}

function counts(
  { steps }: GetStatisticsResponse,
  name: string,
  colour: string,
  of: (step: StatisticsStep) => number,
): Series {
  return { name, colour, values: steps.map(of) };
}

function percentiles(
  { steps }: GetStatisticsResponse,
  of: (step: StatisticsStep) => StatisticsTimes | undefined,
): Series[] {
  const values = (pick: (times: StatisticsTimes) => number): (number | null)[] =>
    steps.map((step) => {
      const times = of(step);
      return times ? pick(times) : null;
    });
  return [
    { name: "Half (p50)", colour: "var(--chart-1)", values: values((times) => times.p50Seconds) },
    {
      name: "9 of 10 (p90)",
      colour: "var(--chart-5)",
      look: "dashed",
      values: values((times) => times.p90Seconds),
    },
    {
      name: "99 of 100 (p99)",
      colour: "var(--chart-4)",
      look: "dotted",
      values: values((times) => times.p99Seconds),
    },
  ];
}
