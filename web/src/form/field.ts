// Which kinds of fields does a form have, and what does each need to be drawn?
import type { JsonValue } from "@bufbuild/protobuf";

import type { Scalar } from "@/form/property";

interface Common {
  /** The input that it sets. */
  name: string;
  title: string;
  description: string;
  required: boolean;
  /** Whether nothing can be chosen where the model has something else by default. */
  nullable: boolean;
  /** What the model takes where the input is left out. */
  fallback: JsonValue | undefined;
  /** Nobody but the model is to know it: it is never written down. */
  secret: boolean;
}

export interface TextField extends Common {
  kind: "text";
  long: boolean;
  maxLength: number | undefined;
}

export interface SecretField extends Common {
  kind: "secret";
}

export interface NumberField extends Common {
  kind: "number";
  whole: boolean;
  minimum: number | undefined;
  maximum: number | undefined;
  step: number | undefined;
}

export interface SeedField extends Common {
  kind: "seed";
  minimum: number;
  maximum: number;
}

export interface ChoiceField extends Common {
  kind: "choice";
  choices: readonly Scalar[];
  /** As segments side by side, or as a list to open. */
  look: "segments" | "list";
}

export interface RatioField extends Common {
  kind: "ratio";
  choices: readonly Scalar[];
}

export interface SwitchField extends Common {
  kind: "switch";
}

/** One file, or several in an order. */
export interface FilesField extends Common {
  kind: "files";
  many: boolean;
  most: number | undefined;
  /** For a file picker: "image/*". */
  accept: string;
}

/** Words, or numbers, one a line. */
export interface LinesField extends Common {
  kind: "lines";
  numbers: boolean;
}

/** Whatever no other field can show, as JSON. */
export interface JsonField extends Common {
  kind: "json";
  /** Whether what is no JSON is meant as the text that it is. */
  orText: boolean;
}

export type InputField =
  | TextField
  | SecretField
  | NumberField
  | SeedField
  | ChoiceField
  | RatioField
  | SwitchField
  | FilesField
  | LinesField
  | JsonField;

export type FieldOf<Kind extends InputField["kind"]> = Extract<InputField, { kind: Kind }>;

/** Width and height, side by side. They count only while another input says so, for some models. */
export interface SizeField {
  kind: "size";
  name: "width";
  width: NumberField;
  height: NumberField;
  onlyWith: { name: string; value: string } | undefined;
}

/** What is drawn in one place. */
export type Field = InputField | SizeField;

export interface FormModel {
  /** The text that says what to make. Some models take none. */
  prompt: TextField | undefined;
  /** What is always seen, in order. */
  main: readonly Field[];
  /** What is folded away at first. */
  more: readonly Field[];
  /** Each input's field, by its name. */
  byName: ReadonlyMap<string, InputField>;
}
