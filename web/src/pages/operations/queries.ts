// What does the page ask of the service, and how often? Nothing while nobody looks.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { bounded, operator } from "@/api/clients";
import { healthQuery } from "@/api/health";
import { DeadLetterFilterSchema } from "@/gen/mediagen/v1/dead_letter_pb";
import type { Window } from "@/pages/operations/windows";

const REFRESH_MS = 5_000;
const PAGE_SIZE = 25;

export const overviewQuery = queryOptions({
  queryKey: ["operations", "overview"],
  queryFn: ({ signal }) => operator.getOverview({}, bounded(signal)),
  refetchInterval: REFRESH_MS,
});

export const partsQuery = queryOptions({ ...healthQuery, refetchInterval: REFRESH_MS });

export function statisticsQuery({ id, refreshMs, seconds, steps }: Window) {
  const window = create(DurationSchema, { seconds: BigInt(seconds) });
  return queryOptions({
    queryKey: ["operations", "statistics", id],
    queryFn: ({ signal }) => operator.getStatistics({ window, steps }, bounded(signal)),
    refetchInterval: refreshMs,
    placeholderData: keepPreviousData,
  });
}

/** All pages of dead letters begin with this. */
export const DEAD_LETTERS_KEY = ["operations", "dead-letters"];

export type LetterFilter = MessageInitShape<typeof DeadLetterFilterSchema>;

export function deadLettersQuery(filter: LetterFilter) {
  return infiniteQueryOptions({
    queryKey: [...DEAD_LETTERS_KEY, filter],
    queryFn: ({ pageParam, signal }) =>
      operator.listDeadLetters(
        {
          filter: create(DeadLetterFilterSchema, filter),
          pageSize: PAGE_SIZE,
          pageToken: pageParam,
        },
        bounded(signal),
      ),
    initialPageParam: "",
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    // A page at a time is asked for anew only while there is one.
    refetchInterval: ({ state }) => (state.data?.pages.length === 1 ? REFRESH_MS : false),
    placeholderData: keepPreviousData,
  });
}

export function deadLetterQuery(jobId: string) {
  return queryOptions({
    queryKey: [...DEAD_LETTERS_KEY, "one", jobId],
    queryFn: ({ signal }) => operator.getDeadLetter({ jobId }, bounded(signal)),
  });
}
