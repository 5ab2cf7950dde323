// How does a component see the jobs as they are now?
//
//   useJob(jobId)         one job; redrawn when that job changes, and then alone
//   useJobs(filter)       the jobs of a filter, newest first
//   useLive(select)       anything else that can be read off the state
//   useConnection()       whether all this is live
//   useNow(active)        the service's time, once a second
//   useLiveStore()        to tell it of a job that a call has answered: absorb([job])
import { use, useCallback, useRef, useSyncExternalStore } from "react";

import type { Job } from "@/gen/mediagen/v1/job_pb";

import type { Connection } from "@/live/connection";
import { matches, type JobFilter } from "@/live/job-filter";
import { LiveContext, type Live } from "@/live/live-provider";
import type { LiveState } from "@/live/live-state";
import type { LiveStore } from "@/live/live-store";
import { everySecond, lastTick } from "@/live/ticker";

function useLiveContext(): Live {
  const live = use(LiveContext);
  if (live === null) throw new Error("this is not inside of <LiveProvider>");
  return live;
}

export function useLiveStore(): LiveStore {
  return useLiveContext().store;
}

/** The job as it is now; undefined if nothing has told of it here: then ask GetJob, and absorb. */
export function useJob(jobId: string): Job | undefined {
  const store = useLiveStore();
  const subscribe = useCallback(
    (listener: () => void) => store.subscribeToJob(jobId, listener),
    [store, jobId],
  );
  return useSyncExternalStore(subscribe, () => store.job(jobId));
}

/**
 * The jobs of a filter that this page knows of, newest first: all that are open, and what has ended
 * or was read since it was opened. At most `most` of them.
 */
export function useJobs(filter?: JobFilter, most = Infinity): readonly Job[] {
  return useLive(({ order }) => firstMatching(order, filter, most), sameMembers);
}

function firstMatching(
  jobs: readonly Job[],
  filter: JobFilter | undefined,
  most: number,
): readonly Job[] {
  const found: Job[] = [];
  for (const job of jobs) {
    if (found.length >= most) break;
    if (filter === undefined || matches(job, filter)) found.push(job);
  }
  return found;
}

export function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

/** What `select` reads off the state; redrawn when that is not `same` as before. */
export function useLive<T>(
  select: (state: LiveState) => T,
  same: (a: T, b: T) => boolean = Object.is,
): T {
  const store = useLiveStore();
  const last = useRef<{ state: LiveState; select: typeof select; value: T }>(undefined);
  const snapshot = (): T => {
    const state = store.now();
    const before = last.current;
    if (before?.state === state && before.select === select) return before.value;
    const read = select(state);
    const value = before !== undefined && same(before.value, read) ? before.value : read;
    last.current = { state, select, value };
    return value;
  };
  return useSyncExternalStore(store.subscribe, snapshot);
}

export function useConnection(): Connection {
  const { connection } = useLiveContext();
  return useSyncExternalStore(connection.subscribe, connection.now);
}

/** The service's time in milliseconds, once a second; it stands still while not `active`. */
export function useNow(active = true): number {
  return useSyncExternalStore(active ? everySecond : never, lastTick);
}

function never(): () => void {
  return never;
}
