// Which cards are selected, and what do a click, a click with shift and the keys change?
export interface Selection {
  ids: ReadonlySet<string>;
  /** Where a range begins: the card that was selected last by itself. */
  anchor: string | undefined;
}

export const NONE: Selection = { ids: new Set(), anchor: undefined };

/** Selects the card, or no longer. */
export function toggled({ ids }: Selection, jobId: string): Selection {
  const next = new Set(ids);
  if (!next.delete(jobId)) next.add(jobId);
  return { ids: next, anchor: jobId };
}

/** Selects all from the anchor up to the card, beside what is selected. */
export function extended(selection: Selection, jobId: string, order: readonly string[]): Selection {
  const from = order.indexOf(selection.anchor ?? jobId);
  const to = order.indexOf(jobId);
  if (from < 0 || to < 0) return toggled(selection, jobId);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: selection.anchor ?? jobId };
}

/** Without those that are no longer listed; the same object if there are none. */
export function pruned(selection: Selection, listed: ReadonlySet<string>): Selection {
  const ids = [...selection.ids].filter((jobId) => listed.has(jobId));
  return ids.length === selection.ids.size ? selection : { ...selection, ids: new Set(ids) };
}
