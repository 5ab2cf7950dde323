// Which models does a search find, and which of them first?
import type { Model } from "@/gen/mediagen/v1/model_pb";

import { wordsOf } from "@/models/output-kind";

/** Those that have each word in their name, description or kind; by name before the others. */
export function found(models: readonly Model[], query: string): Model[] {
  const words = query
    .toLowerCase()
    .split(/[\s/]+/)
    .filter(Boolean);
  if (words.length === 0) return [...models];
  const ranked = models
    .map((model) => ({ model, rank: rankOf(model, words) }))
    .filter(({ rank }) => rank > 0);
  return ranked.sort((a, b) => b.rank - a.rank).map(({ model }) => model);
}

/** 0: not found. */
function rankOf(model: Model, words: readonly string[]): number {
  const name = model.name.toLowerCase();
  const text = `${name} ${model.description} ${wordsOf(model.outputKind).label}`.toLowerCase();
  if (!words.every((word) => text.includes(word))) return 0;
  return 1 + words.filter((word) => name.includes(word)).length;
}

/** What can be named though the catalogue has not heard of it: "owner/name", with a version. */
export function isReferenceToModel(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(:[0-9a-f]{64})?$/.test(text);
}
