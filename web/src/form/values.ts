// What was put into a form, and what of it does a job ask for?
//
// A value that is absent is left to the model: the form shows what it takes then. So a seed that is
// locked is a value, and one that is not is none.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

import type { FormModel, InputField, SizeField } from "@/form/field";
import type { Violation } from "@/api/problem";

export type Values = Readonly<Record<string, JsonValue>>;

/** What was put in for an input. One may be called "constructor", which every object has. */
export function valueAt(values: Values, name: string): JsonValue | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

export function withValue(values: Values, name: string, value: JsonValue | undefined): Values {
  const { [name]: _before, ...rest } = values;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** What the form shows: the value, or what the model takes without one. */
export function shown(field: InputField, values: Values): JsonValue | undefined {
  const value = valueAt(values, field.name);
  return value === undefined ? field.fallback : value;
}

/** Whether something was chosen that the model would not take by itself. */
export function isChanged(field: InputField, values: Values): boolean {
  const value = valueAt(values, field.name);
  if (value === undefined || isEqual(value, field.fallback)) return false;
  return !isBlank(value) || saysSomethingBlank(field);
}

/** The prompt and the other inputs that a job asks for: what was changed, and what must be said. */
export function requested(form: FormModel, values: Values): { prompt: string; input: JsonObject } {
  const given = [...form.byName].flatMap(([name, field]): [string, JsonValue][] => {
    const value = valueAt(values, name);
    if (value === undefined || !counts(form, name, values)) return [];
    const needed = field.required && !isBlank(value);
    return needed || isChanged(field, values) ? [[name, value]] : [];
  });
  // Not by assignment: one may be called "__proto__".
  const { prompt, ...others }: JsonObject = Object.fromEntries(given);
  // The API has a place of its own for it, where it is a text.
  if (typeof prompt === "string") return { prompt, input: others };
  return { prompt: "", input: Object.fromEntries(given) };
}

/** The little that is checked before the server does it: what is missing, or can not be read. */
export function missing(form: FormModel, values: Values): Violation[] {
  return [...form.byName.values()].flatMap((field) => {
    const description = wrongWith(field, values);
    return description === undefined ? [] : [{ field: `input.${field.name}`, description }];
  });
}

function wrongWith(field: InputField, values: Values): string | undefined {
  const value = valueAt(values, field.name) ?? field.fallback;
  if (field.required && (value === undefined || isBlank(value))) return "is needed";
  const unread = field.kind === "json" && !field.orText && typeof value === "string";
  return unread && value.trim() !== "" ? "is not JSON" : undefined;
}

/** Whether width and height count, with what else was chosen. */
export function sizeCounts(size: SizeField, form: FormModel, values: Values): boolean {
  if (size.onlyWith === undefined) return true;
  const field = form.byName.get(size.onlyWith.name);
  return field !== undefined && shown(field, values) === size.onlyWith.value;
}

function counts(form: FormModel, name: string, values: Values): boolean {
  const size = [...form.main, ...form.more].find((field) => field.kind === "size");
  if (size === undefined || (name !== size.width.name && name !== size.height.name)) return true;
  return sizeCounts(size, form, values);
}

/** What a form takes of the inputs of a job: those that it has fields for. */
export function taken(form: FormModel, inputs: JsonObject): Values {
  const known = Object.entries(inputs).filter(([name]) => form.byName.has(name));
  return Object.fromEntries(known);
}

function isBlank(value: JsonValue): boolean {
  if (typeof value === "string") return value.trim() === "";
  return Array.isArray(value) && value.length === 0;
}

// Where the model has a text by default, an empty one says: not that.
function saysSomethingBlank({ fallback }: InputField): boolean {
  return fallback !== undefined && fallback !== null && !isBlank(fallback);
}

export function isEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
