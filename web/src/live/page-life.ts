// Does anybody see the page, and has something happened that makes another try worth while?
import { within } from "@/live/waiting";

/** So long a page that is not seen keeps its connection. */
const UNSEEN_MS = 60_000;

/**
 * Resolves once the page is seen, with what is aborted when it has not been for long. Whoever is done
 * with it aborts it.
 */
export async function pageShown(stop: AbortSignal): Promise<AbortController> {
  if (document.hidden) await becomesVisible(stop);
  const shown = within(stop);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => shown.abort(), UNSEEN_MS);
  };
  document.addEventListener("visibilitychange", look, { signal: shown.signal });
  return shown;
}

function becomesVisible(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener("visibilitychange", look);
      stop.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    stop.addEventListener("abort", look);
  });
}

/** Calls when the network is back or somebody comes back to the page; the answer ends it. */
export function stirred(then: () => void): () => void {
  const end = new AbortController();
  const look = (): void => {
    if (!document.hidden) then();
  };
  const { signal } = end;
  window.addEventListener("online", look, { signal });
  window.addEventListener("pageshow", look, { signal });
  document.addEventListener("visibilitychange", look, { signal });
  return () => end.abort();
}
