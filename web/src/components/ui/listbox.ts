// Which options does a list on the page have, and which comes next by a key?
export type Direction = "next" | "previous" | "page-down" | "page-up" | "first" | "last";

const PAGE = 8;

/** Those that can be chosen, in order. */
export function optionsOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>('[role="option"]:not([aria-disabled="true"])')];
}

/** The option where the key leads from the one of this id; without one, the first or the last. */
export function neighbour(
  list: HTMLElement,
  id: string | null,
  direction: Direction,
): HTMLElement | undefined {
  const options = optionsOf(list);
  const last = options.length - 1;
  const at = options.findIndex((option) => option.id === id);
  const target = {
    next: Math.min(at + 1, last),
    previous: at < 0 ? last : Math.max(at - 1, 0),
    "page-down": Math.min(at + PAGE, last),
    "page-up": Math.max(at - PAGE, 0),
    first: 0,
    last,
  }[direction];
  return options[target];
}

/** The next option after the one of this id whose text begins with what was typed, in any case. */
export function beginningWith(
  list: HTMLElement,
  id: string | null,
  typed: string,
): HTMLElement | undefined {
  const options = optionsOf(list);
  const at = options.findIndex((option) => option.id === id);
  // The same letter again and again goes on to the next one; more letters stay where they fit.
  const same = typed === (typed[0] ?? "").repeat(typed.length);
  const from = same ? at + 1 : Math.max(at, 0);
  const wanted = (same ? (typed[0] ?? "") : typed).toLowerCase();
  const inOrder = [...options.slice(from), ...options.slice(0, from)];
  return inOrder.find((option) => option.textContent.trim().toLowerCase().startsWith(wanted));
}
