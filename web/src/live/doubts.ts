// How did those jobs go on of which the stream could not say it? They are asked for, one by one.
import { Code, ConnectError } from "@connectrpc/connect";

import { bounded } from "@/api/clients";

import type { JobCalls } from "@/live/feed";
import type { LiveStore } from "@/live/live-store";
import { pause } from "@/live/waiting";

const AT_ONCE = 4;
const AGAIN_AFTER_MS = 5_000;

/** Asks for every job that is in doubt, as long as the answer is not called. */
export function resolveDoubts(calls: JobCalls, store: LiveStore, stop: AbortSignal): () => void {
  const asked = new Set<string>();
  const ask = (): void => {
    for (const jobId of store.now().doubtful) {
      if (asked.size >= AT_ONCE) return;
      if (asked.has(jobId)) continue;
      asked.add(jobId);
      void resolve(calls, store, jobId, stop).finally(() => {
        asked.delete(jobId);
        if (!stop.aborted) ask();
      });
    }
  };
  return store.subscribe(ask);
}

async function resolve(
  calls: JobCalls,
  store: LiveStore,
  jobId: string,
  stop: AbortSignal,
): Promise<void> {
  const { epoch } = store.now();
  try {
    const { job } = await calls.getJob({ jobId }, bounded(stop));
    if (job) store.absorb([job], epoch);
  } catch (error) {
    if (ConnectError.from(error).code !== Code.NotFound) return pause(AGAIN_AFTER_MS, stop);
    store.tell({ kind: "gone", jobId, epoch });
    store.take();
  }
}
