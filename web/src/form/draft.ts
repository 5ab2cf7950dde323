// How does what was put into a form survive a reload? In the browser, for each model.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

import type { FormModel } from "@/form/field";
import { isPlain, NO_OPTIONS, type JobOptions } from "@/form/job-options";
import { isObject } from "@/form/property";
import type { Values } from "@/form/values";

export interface Draft {
  values: Values;
  options: JobOptions;
}

export const EMPTY_DRAFT: Draft = { values: {}, options: NO_OPTIONS };

const PREFIX = "mediagen.draft:";
/** Characters of one draft: the service takes no larger inputs. What does not fit is not kept. */
const LARGEST = 300_000;
const MOST = 12;

/** What the browser has kept. It may keep nothing: then the form is empty. */
export function loadDraft(model: string): Draft {
  const kept = parsed(read(PREFIX + model));
  if (!isObject(kept)) return EMPTY_DRAFT;
  const { values, options } = kept;
  return {
    values: isObject(values) ? values : {},
    options: { ...NO_OPTIONS, ...(isObject(options) && (options as Partial<JobOptions>)) },
  };
}

/** Secrets are never kept. */
export function saveDraft(model: string, form: FormModel, { values, options }: Draft): void {
  const open = Object.entries(values).filter(([name]) => form.byName.get(name)?.secret !== true);
  if (open.length === 0 && isPlain(options)) {
    forget(PREFIX + model);
    return;
  }
  write(PREFIX + model, JSON.stringify({ values: fitting(open), options, at: Date.now() }));
  dropOldest();
}

/** Without the largest values, until the rest fits. */
function fitting(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  const bySize = entries.map(([name, value]) => ({
    name,
    value,
    size: JSON.stringify(value).length,
  }));
  bySize.sort((a, b) => a.size - b.size);
  let room = LARGEST;
  const fit = bySize.filter(({ size }) => (room -= size) >= 0);
  return Object.fromEntries(fit.map(({ name, value }) => [name, value]));
}

function dropOldest(): void {
  const kept = draftKeys();
  if (kept.length <= MOST) return;
  const aged = kept.map((key) => ({ key, at: ageOf(key) })).sort((a, b) => b.at - a.at);
  for (const { key } of aged.slice(MOST)) forget(key);
}

function ageOf(key: string): number {
  const kept = parsed(read(key));
  return isObject(kept) && typeof kept["at"] === "number" ? kept["at"] : 0;
}

function draftKeys(): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

const MODEL = "mediagen.model";

/** The model that was used last. */
export function lastModel(): string | undefined {
  return read(MODEL) ?? undefined;
}

export function rememberModel(name: string): void {
  write(MODEL, name);
}

function parsed(text: string | null): JsonValue {
  try {
    return JSON.parse(text ?? "null") as JsonValue;
  } catch {
    return null;
  }
}

// A browser may refuse to keep anything: then it is kept as long as the page is there.
const unkept = new Map<string, string>();

function read(key: string): string | null {
  try {
    return unkept.get(key) ?? localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
    unkept.delete(key);
  } catch {
    unkept.set(key, text);
  }
}

function forget(key: string): void {
  unkept.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    return;
  }
}
