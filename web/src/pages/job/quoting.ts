// How is any text written in a shell command, in JSON and in Python, so that exactly it comes out?
import type { JsonValue } from "@bufbuild/protobuf";

/** A word of a POSIX shell. Between single quotes everything stands for itself, but for them. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Shown as nothing, or as something else than it is: a terminal must not act on what is pasted. */
const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function escapeUnseen(json: string): string {
  return json.replace(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON of visible characters: on one line, or indented. */
export function jsonText(value: JsonValue, indent = 0): string {
  return escapeUnseen(JSON.stringify(value, null, indent));
}

/** A literal of Python. Its strings know every escape of JSON's. */
export function pythonLiteral(value: JsonValue): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return jsonText(value);
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  const pairs = Object.entries(value).map(
    ([key, item]) => `${jsonText(key)}: ${pythonLiteral(item)}`,
  );
  return `{${pairs.join(", ")}}`;
}
