// Which keys do something at the moment, and how do they find it?
//
// A part of the page says with `useShortcut` what a key does while that part is there. Keys are
// written "n", "?", "g c" (one after the other), "mod+enter" (Ctrl, or ⌘ on a Mac). The help lists
// all of them. Where two parts name the same keys, the one that came last has them. They can be turned
// off: who speaks to the machine, or often hits a key by accident, must be able to (WCAG 2.1.4).
import { useEffect, useRef, useSyncExternalStore } from "react";

export type ShortcutGroup = "Go to" | "This page" | "Anywhere";

export interface Shortcut {
  keys: string;
  label: string;
  group: ShortcutGroup;
  /** Absent where the element that has the focus sees to it: then it is listed only. */
  run?: () => void;
}

/** How long the second key may take. */
const PATIENCE_MS = 1000;

const OFF = "mediagen.keys-off";

let registered: readonly Shortcut[] = [];
let on = !isStoredOff();
const listeners = new Set<() => void>();

export function register(shortcut: Shortcut): () => void {
  registered = [...registered, shortcut];
  listeners.forEach((tell) => tell());
  return () => {
    registered = registered.filter((one) => one !== shortcut);
    listeners.forEach((tell) => tell());
  };
}

export function useShortcut({ keys, label, group, run }: Shortcut): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  const acts = run !== undefined;
  useEffect(
    () => register({ keys, label, group, ...(acts && { run: () => latest.current?.() }) }),
    [keys, label, group, acts],
  );
}

/** Those that hold now, each of the keys once. */
export function useShortcuts(): readonly Shortcut[] {
  const all = useSyncExternalStore(subscribe, () => registered);
  return [...new Map(all.map((one) => [one.keys, one])).values()];
}

function isStoredOff(): boolean {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false; // no storage is allowed here
  }
}

/** Whether keys do something; kept for the next visit. */
export function turnShortcuts(enabled: boolean): void {
  on = enabled;
  try {
    if (enabled) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  } catch {
    // It holds until the page is left.
  }
  listeners.forEach((tell) => tell());
}

export function useShortcutsOn(): boolean {
  return useSyncExternalStore(subscribe, () => on);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Listens to the whole page; the answer stops it. */
export function listenForShortcuts(): () => void {
  let before = "";
  let since = -Infinity;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!on || event.defaultPrevented || event.isComposing || isTaken(event)) return;
    const key = event.key.toLowerCase();
    const second = event.timeStamp - since < PATIENCE_MS;
    const found = (second ? shortcutFor(`${before} ${key}`) : undefined) ?? shortcutFor(key);
    before = found === undefined ? key : "";
    since = event.timeStamp;
    if (found?.run === undefined) return;
    event.preventDefault();
    found.run();
  };
  document.addEventListener("keydown", onKeyDown);
  return () => document.removeEventListener("keydown", onKeyDown);
}

function shortcutFor(pressed: string): Shortcut | undefined {
  return registered.findLast(({ keys, run }) => run !== undefined && keys === pressed);
}

/** Keys that belong to somebody else: the browser, a field, an open dialog or menu. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof Element ? event.target : null;
  return (
    target?.closest(
      "input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable=true], [role=dialog], [role=menu], [role=listbox]",
    ) != null
  );
}
