// The text that says what to make.
import { useRef } from "react";

import { useFocusTarget } from "@/app/focus-target";
import { Textarea } from "@/components/ui/textarea";
import type { TextField } from "@/form/field";
import { FieldFrame } from "@/form/fields/field-frame";
import type { ModelForm } from "@/form/use-model-form";
import { valueAt } from "@/form/values";

/** As the API bounds it. */
const LONGEST = 32_768;

export function PromptField({ field, state }: { field: TextField; state: ModelForm }) {
  const { values, problems, set } = state;
  const value = valueAt(values, field.name);
  const text = typeof value === "string" ? value : "";
  const box = useRef<HTMLTextAreaElement>(null);
  useFocusTarget("prompt", box);
  return (
    <FieldFrame
      name={field.name}
      title={field.title}
      required={field.required}
      problems={problems.fields.filter(({ name }) => name === field.name)}
      onReset={text === "" ? undefined : () => set(field.name, undefined)}
    >
      {(ties) => (
        <Textarea
          {...ties}
          ref={box}
          value={text}
          maxLength={field.maxLength ?? LONGEST}
          placeholder={
            typeof field.fallback === "string" && field.fallback ? field.fallback : hintOf(field)
          }
          className="max-h-[40dvh] min-h-28 rounded-xl px-3.5 py-3 text-base leading-relaxed sm:text-[0.9375rem]"
          onChange={({ target }) => set(field.name, target.value === "" ? undefined : target.value)}
        />
      )}
    </FieldFrame>
  );
}

function hintOf({ name }: TextField): string {
  return name === "prompt" ? "Describe what you want to see…" : "Write here…";
}
