// What comes with the navigation to the form, beside what the URL says?
export interface Carried {
  /** Something for the reader to know. */
  notice?: string;
  /** What was typed for another model. */
  carriedPrompt?: string;
}

export function carriedIn(state: unknown): Carried {
  const given = typeof state === "object" && state !== null ? state : {};
  return { ...textAt(given, "notice"), ...textAt(given, "carriedPrompt") };
}

function textAt(given: object, key: keyof Carried): Carried {
  const text = (given as Readonly<Record<string, unknown>>)[key];
  return typeof text === "string" ? { [key]: text } : {};
}
