// How long does the page wait before it tries again, and what makes it try at once?
const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** The pause before the next try, after so many failures in a row; half of it is chance. */
export function pauseAfter(failures: number, chance = Math.random()): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return whole * (0.5 + chance / 2);
}

/** Resolves after so long, or once it is aborted. It never rejects. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}

/** A signal that is aborted with `outer`, and by `abort`. */
export function within(outer: AbortSignal): AbortController {
  const inner = new AbortController();
  const follow = (): void => inner.abort(outer.reason);
  if (outer.aborted) follow();
  outer.addEventListener("abort", follow, { once: true, signal: inner.signal });
  return inner;
}

/** Aborts `controller` unless it is told in time, each time anew, that something was heard. */
export class Watchdog {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly controller: AbortController) {}

  heard(patience: number): void {
    this.stop();
    this.timer = setTimeout(() => this.controller.abort(new Error("silent")), patience);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
