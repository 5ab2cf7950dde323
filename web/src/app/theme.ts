// Is the page light or dark? As the system is, unless something else was chosen here.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "mediagen.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let chosen = stored();

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // no storage is allowed here
  }
}

function show(): void {
  const dark = chosen === "dark" || (chosen === "system" && system.matches);
  document.documentElement.classList.toggle("dark", dark);
}

export function setTheme(theme: Theme): void {
  chosen = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is left.
  }
  show();
  listeners.forEach((tell) => tell());
}

/** Keeps the page as the system and other tabs say. Call it before the first paint. */
export function followTheme(): void {
  show();
  system.addEventListener("change", show);
  window.addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) {
      chosen = stored();
      show();
      listeners.forEach((tell) => tell());
    }
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What was chosen. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => chosen);
}
