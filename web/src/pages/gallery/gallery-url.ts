// Which jobs does the gallery show? Its URL says so: ?state=failed&model=a/b&since=day&label=k=v&q=fox
import { Job_State } from "@/gen/mediagen/v1/job_pb";
import type { JobFilter } from "@/live/job-filter";

/** The parts of the URL. Empty ones are left out of it. */
export interface GalleryQuery {
  states: readonly StateName[];
  model: string;
  labels: readonly string[];
  since: Since | "";
  text: string;
}

export type StateName = keyof typeof STATE_NAMES;
export type Since = keyof typeof SINCE;

export const STATE_NAMES = {
  pending: Job_State.PENDING,
  running: Job_State.RUNNING,
  completed: Job_State.COMPLETED,
  failed: Job_State.FAILED,
  canceled: Job_State.CANCELED,
} as const;

const HOUR_MS = 3_600_000;

export const SINCE = {
  hour: { ms: HOUR_MS, words: "Last hour" },
  day: { ms: 24 * HOUR_MS, words: "Last 24 hours" },
  week: { ms: 7 * 24 * HOUR_MS, words: "Last 7 days" },
  month: { ms: 30 * 24 * HOUR_MS, words: "Last 30 days" },
} as const;

export const EVERYTHING: GalleryQuery = { states: [], model: "", labels: [], since: "", text: "" };

/** What the API takes as a label to filter by, and of a text to look for. */
const LABEL = /^[a-z0-9][a-z0-9._/-]{0,62}=.{0,256}$/;
export const LONGEST_TEXT = 200;
const MOST_LABELS = 10;

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

/** What is wrong in the URL is left out. */
export function readQuery(params: URLSearchParams): GalleryQuery {
  const since = params.get("since") ?? "";
  return {
    states: [...new Set(params.getAll("state"))].filter((name) => isIn(STATE_NAMES, name)),
    model: (params.get("model") ?? "").slice(0, 300),
    labels: params.getAll("label").filter(isLabel).slice(0, MOST_LABELS),
    since: isIn(SINCE, since) ? since : "",
    text: (params.get("q") ?? "").slice(0, LONGEST_TEXT),
  };
}

export function writeQuery(query: GalleryQuery): URLSearchParams {
  const params = new URLSearchParams();
  for (const name of query.states) params.append("state", name);
  if (query.model !== "") params.set("model", query.model);
  for (const label of query.labels) params.append("label", label);
  if (query.since !== "") params.set("since", query.since);
  if (query.text !== "") params.set("q", query.text);
  return params;
}

/** The filter as of `now`, in milliseconds. */
export function filterOf(query: GalleryQuery, now: number): JobFilter {
  return {
    states: query.states.map((name) => STATE_NAMES[name]),
    model: query.model,
    labels: query.labels,
    text: query.text.trim(),
    ...(query.since !== "" && { since: now - SINCE[query.since].ms }),
  };
}

/** How many things narrow the list, beside the states and the text. */
export function narrowings({ model, labels, since }: GalleryQuery): number {
  return Number(model !== "") + labels.length + Number(since !== "");
}

export function isEverything(query: GalleryQuery): boolean {
  return writeQuery(query).size === 0;
}

function isIn<T extends object>(names: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(names, name);
}
