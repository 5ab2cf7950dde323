// How does the focus get to a field of the form?

/** Puts it on the field's control, the chosen one of several. false: there is no such field. */
export function focusField(name: string): boolean {
  const frame = document.querySelector<HTMLElement>(`[data-field~="${CSS.escape(name)}"]`);
  if (frame === null) return false;
  const control = document.getElementById(frame.dataset["control"] ?? "");
  const within = control ?? frame;
  const target =
    control?.matches("input, textarea, button") === true
      ? control
      : (within.querySelector<HTMLElement>("input:checked") ??
        within.querySelector<HTMLElement>("input, textarea, button"));
  target?.focus({ preventScroll: true });
  frame.scrollIntoView({ block: "center", behavior: "smooth" });
  return target !== null;
}
