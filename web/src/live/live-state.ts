// What does the page know of the jobs after all that it was told? Pure: state and news in, state out.
//
//   opened "" ─▶ snapshots, updates ─▶ synced ─▶ updates, forecasts, heartbeats
//   opened cursor ─────────────────────────────▶ the same
//   gap ─▶ snapshots ─▶ synced; with restored, all that was known is forgotten first
//
// docs/events.md has the rules of the stream. Reads (GetJob, ListJobs, the answer of a SubmitJob) may
// come at any time beside it: of each job what has the higher revision is kept.
import type { Job } from "@/gen/mediagen/v1/job_pb";
import type { WatchJobsResponse } from "@/gen/mediagen/v1/generation_service_pb";

import { isFinal, mergeNewestFirst, newestFirst } from "@/live/job-order";
import { merge, withForecast } from "@/live/merge";

/** The most jobs kept in mind. When there are more, the oldest that are final go, to nine tenths. */
export const MOST_JOBS = 10_000;

export interface LiveState {
  jobs: ReadonlyMap<string, Job>;
  /** All of them, newest first. */
  order: readonly Job[];
  /** Where the watch goes on. Empty until it was synced. */
  cursor: string;
  /** Who has been told of since the snapshots began; null when they are over. */
  sighted: ReadonlySet<string> | null;
  /** Jobs that must be asked for: the stream can not say all of them that there is to know. */
  doubtful: ReadonlySet<string>;
  /** Counts the restores of the service. What was asked for in an earlier epoch is of no use. */
  epoch: number;
  /** Grows when lists that were read before may lack something, and are to be read anew. */
  generation: number;
}

export type News =
  /** A watch begins, from this cursor or with snapshots. */
  | { kind: "opened"; cursor: string }
  /** It brought something. */
  | { kind: "message"; message: WatchJobsResponse }
  /** Whole jobs, by a call that was begun in this epoch. */
  | { kind: "read"; jobs: readonly Job[]; epoch: number }
  /** All jobs that were not final when this was asked, for a page without a stream. */
  | { kind: "open jobs"; jobs: readonly Job[]; epoch: number }
  /** There is no such job. */
  | { kind: "gone"; jobId: string; epoch: number };

export const NOTHING_KNOWN: LiveState = {
  jobs: new Map(),
  order: [],
  cursor: "",
  sighted: null,
  doubtful: new Set(),
  epoch: 0,
  generation: 0,
};

/** The state after the news; the same object if there was nothing new in them. */
export function reduce(state: LiveState, news: readonly News[], most = MOST_JOBS): LiveState {
  const draft = new Draft(state);
  for (const one of news) draft.take(one);
  return draft.finished(most);
}

/** A state in the making. What it does not touch, it shares with the one before. */
class Draft {
  private jobs: Map<string, Job> | undefined;
  private sighted: Set<string> | null;
  private readonly doubtful: Set<string>;
  private next: Omit<LiveState, "jobs" | "order" | "sighted" | "doubtful">;

  constructor(private readonly before: LiveState) {
    this.sighted = before.sighted && new Set(before.sighted);
    this.doubtful = new Set(before.doubtful);
    const { cursor, epoch, generation } = before;
    this.next = { cursor, epoch, generation };
  }

  take(news: News): void {
    if ("epoch" in news && news.epoch !== this.next.epoch) return;
    switch (news.kind) {
      case "opened":
        this.next.cursor = news.cursor;
        this.sighted = news.cursor === "" ? new Set() : null;
        return;
      case "message":
        this.told(news.message);
        return;
      case "open jobs":
        this.read(news.jobs);
        this.doubtAllBut(new Set(news.jobs.map((job) => job.jobId)));
        if (this.next.generation === 0) this.next.generation = 1;
        return;
      case "read":
        this.read(news.jobs);
        return;
      case "gone":
        this.doubtful.delete(news.jobId);
        if (this.known().has(news.jobId)) this.changing().delete(news.jobId);
    }
  }

  private told({ cursor, event }: WatchJobsResponse): void {
    if (cursor !== "") this.next.cursor = cursor;
    switch (event.case) {
      case "snapshot":
      case "update":
        this.sighted?.add(event.value.jobId);
        this.job(event.value);
        return;
      case "gap":
        this.sighted = new Set();
        if (event.value.restored) this.forget();
        return;
      case "synced":
        this.synced();
        return;
      case "forecasts":
        for (const { jobId, forecast } of event.value.forecasts) {
          const held = this.known().get(jobId);
          if (held && forecast) this.hold(held, withForecast(held, forecast));
        }
    }
  }

  private read(jobs: readonly Job[]): void {
    for (const job of jobs) {
      this.doubtful.delete(job.jobId);
      this.job(job);
    }
  }

  private job(job: Job): void {
    const held = this.known().get(job.jobId);
    if (held) this.hold(held, merge(held, job));
    else if (job.request) this.changing().set(job.jobId, job);
    else this.doubtful.add(job.jobId); // an update of a job that was never shown here
  }

  private hold(held: Job, job: Job): void {
    if (job !== held) this.changing().set(job.jobId, job);
  }

  /** The snapshots are over: what they left out, though it was open, has ended or is no more. */
  private synced(): void {
    if (this.sighted === null) return;
    this.doubtAllBut(this.sighted);
    this.sighted = null;
    this.next.generation += 1;
  }

  private doubtAllBut(sighted: ReadonlySet<string>): void {
    for (const job of this.known().values())
      if (!isFinal(job) && !sighted.has(job.jobId)) this.doubtful.add(job.jobId);
  }

  private forget(): void {
    this.jobs = new Map();
    this.doubtful.clear();
    this.next.epoch += 1;
    this.next.generation += 1;
  }

  private known(): ReadonlyMap<string, Job> {
    return this.jobs ?? this.before.jobs;
  }

  private changing(): Map<string, Job> {
    return (this.jobs ??= new Map(this.before.jobs));
  }

  finished(most: number): LiveState {
    const { before } = this;
    let jobs = this.known();
    let order = before.order;
    if (jobs !== before.jobs) order = ordered(before, jobs);
    if (order.length > most) {
      order = withoutOldest(order, Math.floor(most * 0.9));
      jobs = new Map(order.map((job) => [job.jobId, job]));
      this.next.generation += 1;
    }
    const after: LiveState = {
      ...this.next,
      jobs,
      order,
      sighted: same(this.sighted, before.sighted),
      doubtful: same(this.doubtful, before.doubtful) ?? before.doubtful,
    };
    const keys = Object.keys(after) as (keyof LiveState)[];
    return keys.every((key) => after[key] === before[key]) ? before : after;
  }
}

/** The order after `jobs` have changed: who is known keeps its place, whose time never changes. */
function ordered(before: LiveState, jobs: ReadonlyMap<string, Job>): readonly Job[] {
  const kept = before.order.flatMap(({ jobId }) => jobs.get(jobId) ?? []);
  if (kept.length === jobs.size) return kept;
  const added = [...jobs.values()].filter((job) => !before.jobs.has(job.jobId));
  return mergeNewestFirst(kept, added.sort(newestFirst));
}

function withoutOldest(order: readonly Job[], most: number): Job[] {
  let tooMany = order.length - most;
  const oldestFirst = [...order].reverse();
  return oldestFirst.filter((job) => !isFinal(job) || tooMany-- <= 0).reverse();
}

/** `a`, or `b` if it has the same members. */
function same(a: Set<string> | null, b: ReadonlySet<string> | null): ReadonlySet<string> | null {
  if (a === null || b?.size !== a.size) return a;
  return [...a].every((one) => b.has(one)) ? b : a;
}
