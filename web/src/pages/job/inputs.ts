// What was a job given, by name, and which files are among it?
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

import type { InputFile, JobRequest } from "@/gen/mediagen/v1/job_pb";

export interface GivenInput {
  name: string;
  value: JsonValue;
  /** The model says that nobody is to know it: `value` is stars. */
  isSecret: boolean;
  /** Left out by the caller: the model takes this. */
  isDefault: boolean;
  /** Those in it, in the order of their paths. */
  files: readonly GivenFile[];
}

export interface GivenFile {
  file: InputFile;
  /** What stands in the input: a reference, or the data: URL itself. */
  reference: string;
}

/** What was given first, then what was left out; without the prompt that stands by itself. */
export function inputsOf(request: JobRequest): GivenInput[] {
  const { defaults = {}, input = {}, inputFiles, secretInputs } = request;
  const filesOf = (name: string): GivenFile[] =>
    inputFiles
      .filter(({ path }) => partsOf(path)[0] === name)
      .map((file) => ({ file, reference: file.uri || textAt(input, file.path) }));
  // A prompt that is secret stands among the others.
  const given = Object.entries(input).filter(
    ([name]) => name !== "prompt" || request.prompt === "",
  );
  return [
    ...given.map(([name, value]) => ({
      name,
      value,
      isSecret: secretInputs.includes(name),
      isDefault: false,
      files: filesOf(name),
    })),
    ...Object.entries(defaults).map(([name, value]) => ({
      name,
      value,
      isSecret: false,
      isDefault: true,
      files: [],
    })),
  ];
}

/** Text for people: of a data: URL its beginning is enough. */
export function inputText(value: JsonValue): string {
  if (typeof value === "string") return short(value);
  return JSON.stringify(value, (_, item: JsonValue) =>
    typeof item === "string" ? short(item) : item,
  );
}

function short(text: string): string {
  const comma = text.indexOf(",");
  return text.startsWith("data:") && comma > 0 ? `${text.slice(0, Math.min(comma, 60))},…` : text;
}

function textAt(input: JsonObject, path: string): string {
  let value: JsonValue | undefined = input;
  for (const part of partsOf(path)) {
    if (Array.isArray(value)) value = value[Number(part)];
    else if (value !== null && typeof value === "object") value = value[part];
    else return "";
  }
  return typeof value === "string" ? value : "";
}

/** The parts of a JSON pointer (RFC 6901). */
function partsOf(path: string): string[] {
  const parts = path.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
