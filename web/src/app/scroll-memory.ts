// How far down is a page that one comes back to? Where it was left; a new one begins at its top.
//
// By our own means: the browser restores before a page of ours has its height.
import { useLayoutEffect } from "react";
import { NavigationType, useLocation, useNavigationType } from "react-router";

const KEY = "mediagen.scroll";
/** Places of the history that are remembered, the last ones. */
const MOST = 50;
/** How long a page may take to become as long as it was. */
const PATIENCE_MS = 3000;
const TAKES_OVER = ["wheel", "touchstart", "keydown", "pointerdown"] as const;

let here = "";
let path = "";
const places = remembered();

function remembered(): Map<string, number> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [string, number][]);
  } catch {
    return new Map(); // no storage is allowed here, or it is not ours
  }
}

function note(): void {
  places.delete(here);
  places.set(here, window.scrollY);
}

function keep(): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...places].slice(-MOST)));
  } catch {
    // A reload then begins at the top.
  }
}

/** Listens for as long as the page is open. */
export function rememberScrolling(): void {
  window.history.scrollRestoration = "manual";
  window.addEventListener("scroll", note, { passive: true });
  window.addEventListener("pagehide", keep);
}

/** Goes, with each change of the URL, to where the page was left. Once, around all pages. */
export function useScrollMemory(): void {
  const { key, pathname } = useLocation();
  const type = useNavigationType();
  useLayoutEffect(() => {
    const samePage = path === pathname;
    // The first place of every visit has the same key.
    const place = `${key} ${pathname}`;
    [here, path] = [place, pathname];
    if (type === NavigationType.Pop) return scrollTo(places.get(place) ?? 0);
    // A filter that is put into the URL moves nothing.
    if (!samePage) window.scrollTo(0, 0);
    return undefined;
  }, [key, pathname, type]);
}

/** Scrolls as soon as the page is long enough; the answer, and whoever scrolls, gives it up. */
function scrollTo(place: number): () => void {
  const reached = (): boolean => {
    window.scrollTo(0, place);
    return Math.abs(window.scrollY - place) < 2;
  };
  if (reached()) return () => undefined;
  const observer = new ResizeObserver(() => {
    if (reached()) stop();
  });
  const timer = setTimeout(stop, PATIENCE_MS);
  function stop(): void {
    observer.disconnect();
    clearTimeout(timer);
    TAKES_OVER.forEach((event) => window.removeEventListener(event, stop));
  }
  TAKES_OVER.forEach((event) => window.addEventListener(event, stop, { passive: true }));
  observer.observe(document.body);
  return stop;
}
