// Does a model take a file of a kind, by the schema of its input?
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Schemas are shallow; one that is not is not searched to its ground. */
const DEEPEST = 6;
// No schema says of what kind a file has to be; names do. The service goes by the same words.
const KINDS = new Map([
  ["image", "image"],
  ["images", "image"],
  ["mask", "image"],
  ["photo", "image"],
  ["picture", "image"],
  ["video", "video"],
  ["videos", "video"],
  ["audio", "audio"],
  ["audios", "audio"],
]);

/** An input of files that may be of this media type: "image/webp". */
export function takesFiles(schema: JsonObject, mediaType: string): boolean {
  const properties = schema["properties"];
  if (!isObject(properties)) return false;
  return Object.entries(properties).some(
    ([name, property]) => mayBe(name, mediaType) && hasFile(property, DEEPEST),
  );
}

function mayBe(name: string, mediaType: string): boolean {
  const words = name.toLowerCase().split("_");
  const kinds = new Set(words.flatMap((word) => KINDS.get(word) ?? []));
  const [kind] = kinds;
  return kind === undefined || kinds.size > 1 || mediaType.startsWith(`${kind}/`);
}

function hasFile(value: JsonValue | undefined, depth: number): boolean {
  if (value === null || typeof value !== "object" || depth === 0) return false;
  if (Array.isArray(value)) return value.some((item) => hasFile(item, depth - 1));
  if (value["format"] === "uri") return true;
  return Object.values(value).some((item) => hasFile(item, depth - 1));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
