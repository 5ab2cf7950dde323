// How does what shows a running time stay right? One tick a second for all that do, none for nobody.
import { clock } from "@/live/clock";

type Listener = () => void;

const TICK_MS = 1000;

const listeners = new Set<Listener>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = clock.now();

function tick(): void {
  if (document.hidden) return;
  now = clock.now();
  listeners.forEach((listener) => listener());
}

/** Calls once a second while somebody sees the page. */
export function everySecond(listener: Listener): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = clock.now();
    timer = setInterval(tick, TICK_MS);
    document.addEventListener("visibilitychange", tick);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    document.removeEventListener("visibilitychange", tick);
  };
}

/** The service's time at the last tick, in milliseconds. */
export function lastTick(): number {
  return timer === undefined && clock.now() - now > TICK_MS ? (now = clock.now()) : now;
}
