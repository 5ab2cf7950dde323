// Which revisions of a job were there? Those that come live, and by one short look back the others.
import { useEffect, useState, useSyncExternalStore } from "react";

import { bounded, generation } from "@/api/clients";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { revisionOf, type Revision } from "@/pages/job/timeline";

/** Much longer than reading some hundred revisions takes. */
const PATIENCE_MS = 10_000;

class History {
  readonly #seen = new Map<number, Revision>();
  readonly #listeners = new Set<() => void>();
  #sorted: readonly Revision[] = [];
  /** Up to here every revision was seen, or is no longer told. */
  #complete = 0;
  /** A look back has failed: what is missing stays so. */
  #resting = false;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly revisions = (): readonly Revision[] => this.#sorted;

  add(job: Job): void {
    if (this.#seen.has(job.revision)) return;
    this.#seen.set(job.revision, revisionOf(job));
    this.#sorted = [...this.#seen.values()].sort((a, b) => a.revision - b.revision);
    this.#advance(this.#complete);
    this.#listeners.forEach((tell) => tell());
  }

  async lookBack(jobId: string, until: number, signal: AbortSignal): Promise<void> {
    if (this.#resting || this.#complete >= until) return;
    // A watch behind revision 0 begins with the job as it is now.
    const afterRevision = Math.max(this.#complete, 1);
    const options = { ...bounded(signal), timeoutMs: PATIENCE_MS };
    try {
      for await (const { event } of generation.watchJob({ jobId, afterRevision }, options)) {
        if (event.case === "gap") this.#advance(event.value.toRevision);
        if (event.case === "snapshot" || event.case === "update") this.add(event.value);
        if (this.#complete >= until) return;
      }
    } catch {
      this.#resting = !signal.aborted;
    }
  }

  #advance(complete: number): void {
    this.#complete = complete;
    while (this.#seen.has(this.#complete + 1)) this.#complete += 1;
  }
}

/** The revisions seen so far, in order. Give each job a component of its own. */
export function useHistory(job: Job): readonly Revision[] {
  const [history] = useState(() => new History());
  const { jobId, revision } = job;
  useEffect(() => {
    const done = new AbortController();
    history.add(job);
    void history.lookBack(jobId, revision, done.signal).finally(() => done.abort());
    return () => done.abort();
    // What is told without a new revision is no part of the history.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [history, jobId, revision]);
  return useSyncExternalStore(history.subscribe, history.revisions);
}
