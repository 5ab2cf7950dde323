// How far back do the statistics look, and how often are they asked for?
import { useSearchParams } from "react-router";

export interface Window {
  /** As the URL says it. */
  id: string;
  name: string;
  /** "in the last hour" */
  words: string;
  seconds: number;
  steps: number;
  refreshMs: number;
}

const HOUR = 3600;

export const USUAL_WINDOW: Window = {
  id: "1h",
  name: "1 h",
  words: "in the last hour",
  seconds: HOUR,
  steps: 60,
  refreshMs: 5_000,
};

export const WINDOWS: readonly Window[] = [
  USUAL_WINDOW,
  {
    id: "6h",
    name: "6 h",
    words: "in the last 6 hours",
    seconds: 6 * HOUR,
    steps: 72,
    refreshMs: 10_000,
  },
  {
    id: "24h",
    name: "24 h",
    words: "in the last 24 hours",
    seconds: 24 * HOUR,
    steps: 96,
    refreshMs: 15_000,
  },
  {
    id: "7d",
    name: "7 d",
    words: "in the last 7 days",
    seconds: 168 * HOUR,
    steps: 84,
    refreshMs: 30_000,
  },
];

/** The window that the URL says, and how to say another. */
export function useWindow(): [Window, (id: string) => void] {
  const [params, setParams] = useSearchParams();
  const chosen = WINDOWS.find(({ id }) => id === params.get("window")) ?? USUAL_WINDOW;
  const choose = (id: string): void =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (id === USUAL_WINDOW.id) after.delete("window");
        else after.set("window", id);
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
  return [chosen, choose];
}
