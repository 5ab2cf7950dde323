// Where do components find the jobs, and hear of those that concern them alone?
//
// News are gathered for a moment and taken together, so that a thousand snapshots are one change.
import type { Job } from "@/gen/mediagen/v1/job_pb";

import { NOTHING_KNOWN, reduce, type LiveState, type News } from "@/live/live-state";

type Listener = () => void;

/** Three frames: nobody sees it, and a burst is taken at once. */
const GATHER_MS = 50;

export class LiveStore {
  private state: LiveState = NOTHING_KNOWN;
  private gathered: News[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly ofAll = new Set<Listener>();
  private readonly ofJob = new Map<string, Set<Listener>>();

  /** What is known now. */
  readonly now = (): LiveState => this.state;

  /** One of the jobs. */
  job(jobId: string): Job | undefined {
    return this.state.jobs.get(jobId);
  }

  /** Takes news with those that come in the same moment. */
  tell(news: News): void {
    this.gathered.push(news);
    this.timer ??= setTimeout(this.take, GATHER_MS);
  }

  /**
   * Takes whole jobs that a call has answered, at once. Of a call that was begun in an earlier
   * epoch, give that: it may tell of what is no more.
   */
  absorb(jobs: readonly Job[], epoch = this.state.epoch): void {
    this.gathered.push({ kind: "read", jobs, epoch });
    this.take();
  }

  /** Takes what was gathered. */
  readonly take = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    const before = this.state;
    this.state = reduce(before, this.gathered.splice(0));
    if (this.state !== before) this.announce(before);
  };

  readonly subscribe = (listener: Listener): (() => void) => {
    this.ofAll.add(listener);
    return () => this.ofAll.delete(listener);
  };

  subscribeToJob(jobId: string, listener: Listener): () => void {
    const listeners = this.ofJob.get(jobId) ?? new Set();
    this.ofJob.set(jobId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.ofJob.get(jobId) === listeners) this.ofJob.delete(jobId);
    };
  }

  // Those who look at one job first: there are fewer of them than jobs.
  private announce(before: LiveState): void {
    if (before.jobs !== this.state.jobs)
      for (const [jobId, listeners] of [...this.ofJob])
        if (before.jobs.get(jobId) !== this.state.jobs.get(jobId)) listeners.forEach(call);
    this.ofAll.forEach(call);
  }
}

function call(listener: Listener): void {
  listener();
}
