// Fields for numbers: with a slider where there are bounds, and two of them for a size.
import { Link2 } from "lucide-react";
import { useState } from "react";

import { Input } from "@/components/ui/input";
import { Slider } from "@/components/ui/slider";
import type { NumberField } from "@/form/field";
import type { Ties } from "@/form/fields/field-frame";
import type { ControlProps } from "@/form/fields/input-control";
import { cn } from "@/lib/cn";

/** More steps than that are not chosen by sliding. */
const MOST_STEPS = 5000;

export function NumberControl({ field, value, onChange, ties }: ControlProps<NumberField>) {
  const { minimum, maximum } = field;
  const number = typeof value === "number" ? value : undefined;
  const step = stepOf(field);
  const slides =
    minimum !== undefined && maximum !== undefined && (maximum - minimum) / step <= MOST_STEPS;
  if (!slides) return <NumberInput {...{ field, ties, onChange }} value={number} />;
  return (
    <div className="flex items-center gap-4">
      <Slider
        aria-labelledby={ties["aria-labelledby"]}
        min={minimum}
        max={maximum}
        step={step}
        value={[Math.min(Math.max(number ?? minimum, minimum), maximum)]}
        onValueChange={([next]) => onChange(next === undefined ? undefined : neat(next, step))}
        className={cn(number === undefined && "opacity-50")}
      />
      <div className="w-22 shrink-0">
        <NumberInput {...{ field, ties, onChange }} value={number} />
      </div>
    </div>
  );
}

interface NumberInputProps {
  field: NumberField;
  value: number | undefined;
  ties: Partial<Ties>;
  label?: string;
  onChange: (value: number | null | undefined) => void;
}

export function NumberInput({ field, value, ties, label, onChange }: NumberInputProps) {
  // What is typed stays as it is, even if it is nothing, until the field is left.
  const [typed, setTyped] = useState<string>();
  // Where the model has a number by default, nothing can only be said by saying so.
  const emptied = field.nullable && field.fallback != null ? null : undefined;
  return (
    <Input
      {...ties}
      {...(label !== undefined && { "aria-label": label })}
      type="number"
      inputMode={field.whole ? "numeric" : "decimal"}
      min={field.minimum}
      max={field.maximum}
      step={field.whole ? (field.step ?? 1) : "any"}
      value={typed ?? value ?? ""}
      placeholder={typeof field.fallback === "number" ? String(field.fallback) : "Auto"}
      onWheel={(event) => event.currentTarget.blur()}
      onBlur={() => setTyped(undefined)}
      onChange={({ target }) => {
        setTyped(target.value);
        onChange(Number.isNaN(target.valueAsNumber) ? emptied : target.valueAsNumber);
      }}
      className="tabular-nums"
    />
  );
}

interface SizeControlProps {
  width: NumberField;
  height: NumberField;
  values: readonly [number | undefined, number | undefined];
  ties: Ties;
  onChange: (name: string, value: number | null | undefined) => void;
}

/** Width and height, and the shape that they make. */
export function SizeControl({ width, height, values, ties, onChange }: SizeControlProps) {
  const { id, ...shared } = ties;
  return (
    <div role="group" aria-labelledby={ties["aria-labelledby"]} className="flex items-center gap-2">
      <NumberInput
        field={width}
        value={values[0]}
        ties={{ id, "aria-describedby": shared["aria-describedby"] }}
        label="Width"
        onChange={(value) => onChange(width.name, value)}
      />
      <Link2 aria-hidden className="size-4 shrink-0 text-muted-foreground" />
      <NumberInput
        field={height}
        value={values[1]}
        ties={{ "aria-describedby": shared["aria-describedby"] }}
        label="Height"
        onChange={(value) => onChange(height.name, value)}
      />
    </div>
  );
}

/** A hundredth of the range, rounded to 1, 2 or 5 of something, where the schema says none. */
export function stepOf({ whole, step, minimum = 0, maximum = 1 }: NumberField): number {
  if (step !== undefined && step > 0) return step;
  if (whole) return 1;
  const raw = (maximum - minimum) / 100;
  const power = 10 ** Math.floor(Math.log10(raw > 0 ? raw : 1));
  return power * ([1, 2, 5].findLast((digit) => digit * power <= raw * 1.0001) ?? 1);
}

/** Without what binary fractions leave behind: 0.3, and not 0.30000000000000004. */
function neat(value: number, step: number): number {
  const digits = Math.ceil(-Math.log10(step)) + 1;
  return Number(value.toFixed(Math.min(Math.max(0, digits), 100)));
}
