// What does a model's schema say of one input, whichever of JSON Schema's ways it takes to say it?
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

export type Scalar = string | number | boolean;

export interface Property {
  name: string;
  title: string;
  description: string;
  /** Its types without "null": one, where the schema is sane. */
  types: readonly string[];
  nullable: boolean;
  /** What it may be, where that is a list. */
  choices: readonly Scalar[] | undefined;
  /** What the model takes where it is left out. */
  fallback: JsonValue | undefined;
  minimum: number | undefined;
  maximum: number | undefined;
  multipleOf: number | undefined;
  maxLength: number | undefined;
  maxItems: number | undefined;
  format: string;
  secret: boolean;
  deprecated: boolean;
  required: boolean;
  order: number;
  /** What the items of a list are. */
  items: Property | undefined;
}

/** Of models that never say an order, their inputs come in that of their names. */
const LAST = Number.MAX_SAFE_INTEGER;

export function readProperties(schema: JsonObject): Property[] {
  const properties = objectAt(schema, "properties") ?? {};
  const required = new Set(arrayAt(schema, "required"));
  return Object.entries(properties)
    .flatMap(([name, value]) =>
      isObject(value) ? [readProperty(name, value, required.has(name))] : [],
    )
    .sort((a, b) => a.order - b.order || a.name.localeCompare(b.name));
}

export function readProperty(name: string, given: JsonObject, required: boolean): Property {
  const schema = flattened(given);
  const types = typesOf(schema);
  const listed = choicesOf(schema);
  const items = objectAt(schema, "items");
  return {
    name,
    title: titleOf(name),
    description: explanation(name, stringAt(schema, "description")),
    types: types.filter((type) => type !== "null"),
    nullable: types.includes("null") || (listed?.includes(null) ?? false),
    choices: listed?.filter((choice) => choice !== null),
    fallback: schema["default"],
    minimum: numberAt(schema, "minimum") ?? numberAt(schema, "exclusiveMinimum"),
    maximum: numberAt(schema, "maximum") ?? numberAt(schema, "exclusiveMaximum"),
    multipleOf: numberAt(schema, "multipleOf"),
    maxLength: numberAt(schema, "maxLength"),
    maxItems: numberAt(schema, "maxItems"),
    format: stringAt(schema, "format"),
    secret: schema["x-cog-secret"] === true || schema["format"] === "password",
    deprecated: schema["deprecated"] === true,
    required,
    order: numberAt(schema, "x-order") ?? LAST,
    items: items && readProperty(name, items, false),
  };
}

/** "num_inference_steps" is the "Number of inference steps". */
export function titleOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase()
    .replace(/^num /, "number of ")
    .replace(/\b(nsfw|url|fps|hd|3d|lora|cfg|id|api|ai)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What the makers say of it, if that is more than its name. */
function explanation(name: string, given: string): string {
  const letters = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const said = given.trim();
  return [name, titleOf(name)].some((words) => letters(words) === letters(said)) ? "" : said;
}

/** With what stands in its only alternative, or only part, beside "null". */
function flattened(schema: JsonObject): JsonObject {
  const { anyOf, oneOf, allOf, ...rest } = schema;
  const parts = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list : []));
  const given = parts.filter(isObject);
  const real = given.filter((part) => part["type"] !== "null");
  const orNull = real.length < given.length;
  const [only] = real;
  if (only === undefined) return rest;
  if (real.length === 1 || Array.isArray(allOf))
    return withNull({ ...flattenedAll(real), ...rest }, orNull);
  const choices = real.map((part) => choicesOf(part));
  if (choices.every((list) => list !== undefined))
    return withNull({ type: typesOf(only), enum: choices.flat(), ...rest }, orNull);
  return withNull({ type: [...new Set(real.flatMap(typesOf))], ...rest }, orNull);
}

function flattenedAll(parts: readonly JsonObject[]): JsonObject {
  return Object.assign({}, ...parts.map(flattened)) as JsonObject;
}

function withNull(schema: JsonObject, orNull: boolean): JsonObject {
  return orNull ? { ...schema, type: [...typesOf(schema), "null"] } : schema;
}

function typesOf(schema: JsonObject): string[] {
  const type = schema["type"];
  const said = Array.isArray(type) ? type : [type];
  const types = said.filter((one): one is string => typeof one === "string");
  return types.length > 0 ? types : typesOfChoices(schema);
}

function typesOfChoices(schema: JsonObject): string[] {
  const kinds = (choicesOf(schema) ?? []).map((one) => (one === null ? "null" : typeof one));
  return [...new Set(kinds)];
}

function choicesOf(schema: JsonObject): (Scalar | null)[] | undefined {
  const list = schema["const"] !== undefined ? [schema["const"]] : arrayAt(schema, "enum");
  const scalars = list?.filter((one) => one === null || typeof one !== "object");
  return scalars !== undefined && scalars.length > 0 ? scalars : undefined;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectAt(schema: JsonObject, key: string): JsonObject | undefined {
  const value = schema[key];
  return isObject(value) ? value : undefined;
}

function arrayAt(schema: JsonObject, key: string): JsonValue[] | undefined {
  const value = schema[key];
  return Array.isArray(value) ? value : undefined;
}

function stringAt(schema: JsonObject, key: string): string {
  const value = schema[key];
  return typeof value === "string" ? value : "";
}

function numberAt(schema: JsonObject, key: string): number | undefined {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
}
