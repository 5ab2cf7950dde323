// Which form does a model's schema make?
import type { JsonObject } from "@bufbuild/protobuf";

import type { Field, FieldOf, FormModel, InputField, SizeField, TextField } from "@/form/field";
import { readProperties, type Property } from "@/form/property";
import { areShapes } from "@/form/ratio";

/** Names that models give to how many pictures they make. */
export const COUNTS = ["num_outputs", "max_images", "number_of_images", "num_images", "n"] as const;

const LONG_TEXT = /prompt|text|lyrics|caption|description|instruction|story|script|system/;
const LARGEST_SEED = 2 ** 31 - 1;
const SEGMENTS = { most: 4, letters: 30 };

export function formOf(schema: JsonObject): FormModel {
  const inputs = readProperties(schema).map(fieldOf);
  const prompt = promptOf(inputs);
  const others = joined(inputs.filter((field) => field !== prompt));
  const main = others.filter((field) => rank(field) !== undefined);
  const more = others.filter((field) => rank(field) === undefined);
  return {
    prompt,
    main: main.sort((a, b) => (rank(a) ?? 0) - (rank(b) ?? 0)),
    // One field is no reason for something to open.
    ...(more.length === 1 ? { main: [...main, ...more], more: [] } : { more }),
    byName: new Map(inputs.map((field) => [field.name, field])),
  };
}

/** The input "prompt", else the first text that the model can not do without. */
function promptOf(inputs: readonly InputField[]): TextField | undefined {
  const texts = inputs.filter((field) => field.kind === "text");
  const found =
    texts.find((field) => field.name === "prompt") ??
    texts.find((field) => field.required) ??
    texts.find((field) => field.name === "text");
  if (found !== undefined) found.long = true;
  return found;
}

/** The place among what is always seen; undefined: it is not. */
function rank(field: Field): number | undefined {
  if (field.kind === "files") return field.name.includes("mask") ? 2 : 1;
  if (field.kind === "size") return 5;
  if (field.required) return 3;
  if (field.kind === "ratio") return 4;
  if ((COUNTS as readonly string[]).includes(field.name)) return 6;
  return undefined;
}

/** Width and height as one field, where the first of them stands. */
function joined(inputs: readonly InputField[]): Field[] {
  const [width, height] = ["width", "height"].map((name) =>
    inputs.find((field) => field.name === name && field.kind === "number"),
  );
  if (width?.kind !== "number" || height?.kind !== "number") return [...inputs];
  const size: SizeField = { kind: "size", name: "width", width, height, onlyWith: gate(inputs) };
  return inputs.flatMap((field): Field[] => {
    if (field === height) return [];
    return [field === width ? size : field];
  });
}

/** Models whose shape may be "custom" look at width and height only then. */
function gate(inputs: readonly InputField[]): SizeField["onlyWith"] {
  const found = inputs.find(
    (field) =>
      (field.kind === "ratio" || field.kind === "choice") && field.choices.includes("custom"),
  );
  return found && { name: found.name, value: "custom" };
}

function fieldOf(property: Property): InputField {
  const { name, title, description, required, nullable, fallback } = property;
  const secret = property.secret || property.items?.secret === true;
  const common = { name, title, description, required, nullable, fallback, secret };
  const type = property.types.length === 1 ? property.types[0] : undefined;
  if (property.choices !== undefined) return choiceOf(property, property.choices, common);
  if (type === "boolean") return { kind: "switch", ...common };
  if (type === "integer" || type === "number") return numberOf(property, type, common);
  if (type === "string") return textOf(property, common);
  if (type === "array" && property.items !== undefined)
    return listOf(property, property.items, common);
  return { kind: "json", orText: property.types.includes("string"), ...common };
}

type Shared = Omit<FieldOf<"switch">, "kind">;

function choiceOf(
  { types }: Property,
  choices: NonNullable<Property["choices"]>,
  common: Shared,
): InputField {
  if (types.includes("string") && areShapes(choices)) return { kind: "ratio", choices, ...common };
  const letters = choices.reduce<number>((sum, choice) => sum + String(choice).length, 0);
  const few = choices.length <= SEGMENTS.most && letters <= SEGMENTS.letters && !common.nullable;
  return { kind: "choice", choices, look: few ? "segments" : "list", ...common };
}

function numberOf(property: Property, type: string, common: Shared): InputField {
  const { minimum, maximum, multipleOf } = property;
  if (type === "integer" && property.name === "seed")
    return {
      kind: "seed",
      minimum: Math.max(minimum ?? 0, 0),
      maximum: Math.min(maximum ?? LARGEST_SEED, LARGEST_SEED),
      ...common,
    };
  return {
    kind: "number",
    whole: type === "integer",
    minimum,
    maximum,
    step: multipleOf,
    ...common,
  };
}

function textOf(property: Property, common: Shared): InputField {
  if (property.secret) return { kind: "secret", ...common };
  if (property.format === "uri")
    return { kind: "files", many: false, most: 1, accept: acceptOf(property), ...common };
  const long = LONG_TEXT.test(property.name);
  return { kind: "text", long, maxLength: property.maxLength, ...common };
}

function listOf(property: Property, items: Property, common: Shared): InputField {
  const [type] = items.types;
  if (type === "string" && items.format === "uri")
    return {
      kind: "files",
      many: true,
      most: property.maxItems,
      accept: acceptOf(property),
      ...common,
    };
  const simple = items.types.length === 1 && items.choices === undefined;
  if (simple && (type === "string" || type === "number" || type === "integer"))
    return { kind: "lines", numbers: type !== "string", ...common };
  return { kind: "json", orText: false, ...common };
}

/** What a file picker offers at first: the schema says no more than "a file". */
function acceptOf({ name, description }: Property): string {
  const said = `${name} ${description}`.toLowerCase();
  if (/image|photo|picture|mask|frame/.test(name)) return "image/*";
  if (name.includes("video")) return "video/*";
  if (/audio|voice|song|speech|music/.test(name)) return "audio/*";
  if (/\bimages?\b|picture|photo/.test(said)) return "image/*";
  if (/\baudio\b|\bvoice\b/.test(said)) return "audio/*";
  if (/\bvideo\b/.test(said)) return "video/*";
  return "";
}
