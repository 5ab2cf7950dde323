// How does the gallery get its jobs: page by page as one scrolls, and live?
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";

import { bounded, generation } from "@/api/clients";
import { itemsOf, sameItems, Shapes, type GalleryItem } from "@/pages/gallery/gallery-items";
import { filterOf, type GalleryQuery } from "@/pages/gallery/gallery-url";
import { clock } from "@/live/clock";
import { useLive, useLiveStore } from "@/live/hooks";
import { listRequest } from "@/live/job-filter";
import type { LiveState } from "@/live/live-state";
import { useOutputKinds } from "@/models/output-kinds";

const PAGE = 60;
/** So long the first page waits: for the stream, as who lists after it has begun misses nothing, and
 *  for the catalogue, which tells the shapes of what is still to come. */
const PATIENCE_MS = 1500;

export interface GalleryJobs {
  items: readonly GalleryItem[];
  status: "loading" | "error" | "listed";
  error: Error | null;
  /** Asks anew after an error. */
  again: () => void;
  /** Asks for older ones; nothing happens while they are asked for, or when there are none. */
  more: () => void;
  /** How it is with older ones. */
  older: "there" | "loading" | "error" | "none";
}

export function useGalleryJobs(query: GalleryQuery): GalleryJobs {
  const store = useLiveStore();
  const known = useLive((state: LiveState) => state.generation);
  const patient = usePatience();
  const { kindOf, settled } = useOutputKinds();
  const filter = useMemo(() => filterOf(query, clock.now()), [query]);
  const [shapes] = useState(() => new Shapes());
  const pages = useInfiniteQuery({
    queryKey: ["jobs", query],
    enabled: known > 0 || !patient,
    staleTime: Infinity, // the stream tells what changes
    structuralSharing: false,
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => {
      const { epoch, generation: readIn } = store.now();
      const request = { ...listRequest(filter), pageSize: PAGE, pageToken: pageParam };
      const answer = await generation.listJobs(request, bounded(signal));
      store.absorb(answer.jobs, epoch);
      return { ...answer, readIn };
    },
    getNextPageParam: (last) => (last.nextPageToken === "" ? undefined : last.nextPageToken),
  });
  // What was read before may lack something: all of it is read anew, and stays in its place meanwhile.
  const { refetch, isFetching, isRefetchError } = pages;
  const outdated = pages.data?.pages.some(({ readIn }) => readIn !== known) === true;
  useEffect(() => {
    if (outdated && !isFetching && !isRefetchError) void refetch();
  }, [outdated, isFetching, isRefetchError, refetch]);
  const ready = pages.data !== undefined && (settled || !patient);
  const listed = useMemo(() => {
    return {
      jobs: (ready && pages.data.pages.flatMap(({ jobs }) => jobs)) || [],
      complete: ready && !pages.hasNextPage,
    };
  }, [ready, pages.data, pages.hasNextPage]);
  const select = useCallback(
    (state: LiveState) => itemsOf(state, listed, filter, shapes, kindOf),
    [listed, filter, shapes, kindOf],
  );
  const items = useLive(select, sameItems);
  return {
    items,
    status: ready ? "listed" : pages.isError ? "error" : "loading",
    error: pages.error,
    again: () => void refetch(),
    more: () => {
      if (pages.hasNextPage && !isFetching) void pages.fetchNextPage();
    },
    older: pages.isFetchingNextPage
      ? "loading"
      : pages.isFetchNextPageError
        ? "error"
        : pages.hasNextPage
          ? "there"
          : "none",
  };
}

/** Whether it is still worth while to wait for the stream. */
function usePatience(): boolean {
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return patient;
}
