// One field of the form, with all that is around it.
import { KeyRound } from "lucide-react";

import type { Field, InputField, SizeField } from "@/form/field";
import type { FieldProblem } from "@/form/field-problems";
import { FieldFrame } from "@/form/fields/field-frame";
import { InputControl, isSingle } from "@/form/fields/input-control";
import { SizeControl } from "@/form/fields/number-controls";
import type { ModelForm } from "@/form/use-model-form";
import { isChanged, shown, sizeCounts, valueAt } from "@/form/values";

interface FormFieldProps<Of> {
  field: Of;
  state: ModelForm;
}

export function FormField({ field, state }: FormFieldProps<Field>) {
  if (field.kind === "size") return <Size field={field} state={state} />;
  return <One field={field} state={state} />;
}

function One({ field, state }: FormFieldProps<InputField>) {
  const { values, problems, set } = state;
  const { name, title, description, required } = field;
  const canReset = field.kind !== "files" && field.kind !== "seed" && isChanged(field, values);
  return (
    <FieldFrame
      {...{ name, title, description, required }}
      single={isSingle(field)}
      inline={field.kind === "switch"}
      problems={problemsOf(problems.fields, name)}
      {...(field.secret && { aside: <WipedNote /> })}
      onReset={canReset ? () => set(name, undefined) : undefined}
    >
      {(ties) => (
        <InputControl
          field={field}
          ties={ties}
          value={shown(field, values)}
          set={valueAt(values, name)}
          onChange={(value) => set(name, value)}
        />
      )}
    </FieldFrame>
  );
}

/** The service wipes a secret as its job ends, and the page never writes one down. */
function WipedNote() {
  return (
    <span className="flex items-center gap-1.5 text-xs text-muted-foreground">
      <KeyRound aria-hidden className="size-3.5" />
      Wiped once the job ends
    </span>
  );
}

function Size({ field, state }: FormFieldProps<SizeField>) {
  const { form, values, problems, set } = state;
  const { width, height } = field;
  if (!sizeCounts(field, form, values)) return null;
  const changed = isChanged(width, values) || isChanged(height, values);
  const reset = () => {
    set(width.name, undefined);
    set(height.name, undefined);
  };
  const wrong = [width, height].flatMap(({ name, title }) =>
    problemsOf(problems.fields, name).map(({ description, ...problem }) => ({
      ...problem,
      description: `${title} ${description}`,
    })),
  );
  return (
    <FieldFrame
      name={`${width.name} ${height.name}`}
      title="Size"
      description={boundsOf(field)}
      single={false}
      problems={wrong}
      onReset={changed ? reset : undefined}
    >
      {(ties) => (
        <SizeControl
          {...{ width, height, ties }}
          values={[numberOf(width, state), numberOf(height, state)]}
          onChange={(name, value) => set(name, value)}
        />
      )}
    </FieldFrame>
  );
}

function numberOf(field: InputField, { values }: ModelForm): number | undefined {
  const value = shown(field, values);
  return typeof value === "number" ? value : undefined;
}

function boundsOf({ width: { minimum, maximum, step } }: SizeField): string {
  if (minimum === undefined || maximum === undefined) return "Width and height in pixels.";
  const multiple = step === undefined || step === 1 ? "" : `, multiples of ${step}`;
  return `Width and height in pixels, ${minimum} to ${maximum}${multiple}.`;
}

function problemsOf(problems: readonly FieldProblem[], name: string): FieldProblem[] {
  return problems.filter((problem) => problem.name === name);
}
