// Fields that words are typed into: a line, a text, a secret, a list of lines, JSON.
import type { JsonValue } from "@bufbuild/protobuf";
import { useState } from "react";

import { Input } from "@/components/ui/input";
import { Textarea } from "@/components/ui/textarea";
import type { FieldOf } from "@/form/field";
import type { ControlProps } from "@/form/fields/input-control";
import { isEqual } from "@/form/values";

export function TextControl({ field, value, onChange, ties }: ControlProps<FieldOf<"text">>) {
  const text = typeof value === "string" ? value : "";
  const change = (typed: string) =>
    onChange(typed === "" && isEmptyDefault(field.fallback) ? undefined : typed);
  const shared = {
    value: text,
    maxLength: field.maxLength,
    placeholder: field.nullable && value === null ? "None" : undefined,
    ...ties,
  };
  if (field.long)
    return (
      <Textarea
        {...shared}
        className="max-h-60 min-h-18"
        onChange={(event) => change(event.target.value)}
      />
    );
  return <Input {...shared} onChange={(event) => change(event.target.value)} />;
}

export function SecretControl({ value, onChange, ties }: ControlProps<FieldOf<"secret">>) {
  return (
    <Input
      {...ties}
      type="password"
      autoComplete="off"
      spellCheck={false}
      value={typeof value === "string" ? value : ""}
      onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}
    />
  );
}

export function LinesControl({ field, value, onChange, ties }: ControlProps<FieldOf<"lines">>) {
  const items = Array.isArray(value) ? value : [];
  const [text, setText] = useTyped(items.map(String).join("\n"), value, (typed) =>
    linesOf(typed, field.numbers),
  );
  return (
    <Textarea
      {...ties}
      value={text}
      placeholder="One a line"
      className="max-h-60"
      onChange={(event) => {
        setText(event.target.value);
        const lines = linesOf(event.target.value, field.numbers);
        onChange(lines.length === 0 ? undefined : lines);
      }}
    />
  );
}

export function JsonControl({ field, value, onChange, ties }: ControlProps<FieldOf<"json">>) {
  const [text, setText] = useTyped(jsonText(value), value, (typed) => jsonOf(typed));
  return (
    <Textarea
      {...ties}
      value={text}
      spellCheck={false}
      placeholder={field.orText ? undefined : "JSON"}
      className="max-h-60 font-mono text-[0.8125rem] sm:text-[0.8125rem]"
      onChange={(event) => {
        setText(event.target.value);
        onChange(jsonOf(event.target.value));
      }}
    />
  );
}

/**
 * What was typed, as long as it means the value: the value alone does not say how it was written.
 */
function useTyped(
  written: string,
  value: JsonValue | undefined,
  meaning: (typed: string) => JsonValue | undefined,
): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(written);
  const means = meaning(typed);
  const same = isEqual(means, value) || (isNothing(means) && isNothing(value));
  return [same ? typed : written, setTyped];
}

function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function isEmptyDefault(fallback: JsonValue | undefined): boolean {
  return fallback === undefined || fallback === null || fallback === "";
}

function linesOf(text: string, numbers: boolean): JsonValue[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => (numbers && Number.isFinite(Number(line)) ? Number(line) : line));
}

/** What is no JSON (yet) stays the text that it is. */
function jsonOf(text: string): JsonValue | undefined {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function jsonText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
