// Which control does a field have?
import type { JsonValue } from "@bufbuild/protobuf";

import type { InputField } from "@/form/field";
import { ChoiceControl, RatioControl, SwitchControl } from "@/form/fields/choice-controls";
import type { Ties } from "@/form/fields/field-frame";
import { NumberControl } from "@/form/fields/number-controls";
import { SeedControl } from "@/form/fields/seed-control";
import { JsonControl, LinesControl, SecretControl, TextControl } from "@/form/fields/text-controls";
import { FilesControl } from "@/form/files/files-control";

export interface ControlProps<Of> {
  field: Of;
  /** What is shown: what was set, or what the model takes by itself. */
  value: JsonValue | undefined;
  /** What was set. */
  set: JsonValue | undefined;
  /** undefined: it is the model's choice again. */
  onChange: (value: JsonValue | undefined) => void;
  ties: Ties;
}

export function InputControl({ field, ...props }: ControlProps<InputField>) {
  switch (field.kind) {
    case "text":
      return <TextControl field={field} {...props} />;
    case "secret":
      return <SecretControl field={field} {...props} />;
    case "number":
      return <NumberControl field={field} {...props} />;
    case "seed":
      return <SeedControl field={field} {...props} />;
    case "choice":
      return <ChoiceControl field={field} {...props} />;
    case "ratio":
      return <RatioControl field={field} {...props} />;
    case "switch":
      return <SwitchControl field={field} {...props} />;
    case "files":
      return <FilesControl field={field} {...props} />;
    case "lines":
      return <LinesControl field={field} {...props} />;
    case "json":
      return <JsonControl field={field} {...props} />;
  }
}

/** Whether its name is that of one thing to focus, and not of a group. */
export function isSingle({ kind, ...field }: InputField): boolean {
  if (kind === "choice") return "look" in field && field.look === "list";
  return kind !== "ratio" && kind !== "files";
}
