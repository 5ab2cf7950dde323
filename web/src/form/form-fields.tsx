// All fields of a form: the prompt first, what is always seen, and what is folded.
import type { Dispatch, SetStateAction } from "react";

import { useShortcut } from "@/app/shortcuts";
import { Folded } from "@/form/folded";
import { FormField } from "@/form/form-field";
import { JobOptionsFields } from "@/form/job-options-fields";
import { isPlain } from "@/form/job-options";
import type { Opened } from "@/form/model-form";
import { PromptField } from "@/form/prompt-field";
import type { ModelForm } from "@/form/use-model-form";
import { isChanged } from "@/form/values";

interface FieldsProps {
  state: ModelForm;
  open: Opened;
  setOpen: Dispatch<SetStateAction<Opened>>;
}

export function Fields({ state, open, setOpen }: FieldsProps) {
  const { form, values, options } = state;
  const { prompt, main, more } = form;
  const changed = more.filter((field) => field.kind !== "size" && isChanged(field, values)).length;
  useShortcut({ keys: "mod+enter", label: "Generate", group: "This page" });
  return (
    <>
      {prompt && <PromptField field={prompt} state={state} />}
      {main.map((field) => (
        <FormField key={field.name} field={field} state={state} />
      ))}
      <div className="grid gap-1">
        {more.length > 0 && (
          <Folded
            title="More"
            note={changed > 0 ? `${changed} changed` : `${more.length} inputs`}
            open={open.more}
            onOpenChange={(now) => setOpen((before) => ({ ...before, more: now }))}
          >
            {more.map((field) => (
              <FormField key={field.name} field={field} state={state} />
            ))}
          </Folded>
        )}
        <Folded
          title="Job options"
          note={isPlain(options) ? "" : "changed"}
          open={open.options}
          onOpenChange={(now) => setOpen((before) => ({ ...before, options: now }))}
        >
          <JobOptionsFields state={state} />
        </Folded>
      </div>
    </>
  );
}
