// Does a model take a file, by the schema of its input?
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Schemas are shallow; one that is not is not searched to its ground. */
const DEEPEST = 6;

export function takesFiles(schema: JsonObject): boolean {
  return hasFile(schema["properties"], DEEPEST);
}

function hasFile(value: JsonValue | undefined, depth: number): boolean {
  if (value === null || typeof value !== "object" || depth === 0) return false;
  if (Array.isArray(value)) return value.some((item) => hasFile(item, depth - 1));
  if (value["format"] === "uri") return true;
  return Object.values(value).some((item) => hasFile(item, depth - 1));
}
