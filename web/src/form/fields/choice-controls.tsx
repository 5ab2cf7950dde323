// Fields to choose one of several: side by side, from a list, among shapes; and on or off.
import { Sparkles } from "lucide-react";
import { useId } from "react";

import {
  Select,
  SelectContent,
  SelectItem,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";
import { Switch } from "@/components/ui/switch";
import type { FieldOf } from "@/form/field";
import type { ControlProps } from "@/form/fields/input-control";
import type { Scalar } from "@/form/property";
import { fitted, shapeOf } from "@/form/ratio";
import { cn } from "@/lib/cn";

export function ChoiceControl(props: ControlProps<FieldOf<"choice">>) {
  return props.field.look === "list" ? <List {...props} /> : <Segments {...props} />;
}

/** What the model's words mean to people: "match_input_image". */
function wordsOf(choice: Scalar): string {
  const text = String(choice);
  return /^[a-z]+(_[a-z]+)*$/.test(text) && text.includes("_") ? text.replaceAll("_", " ") : text;
}

const NOTHING = "nothing";

function List({ field, value, onChange, ties }: ControlProps<FieldOf<"choice">>) {
  const { choices, fallback, nullable, required } = field;
  const at = choices.findIndex((choice) => choice === value);
  const mayBeNothing = !required && (nullable || fallback === undefined);
  const choose = (item: string) => {
    const chosen = item === NOTHING ? undefined : choices[Number(item)];
    onChange(chosen ?? (nullable && fallback != null ? null : undefined));
  };
  return (
    <Select value={at === -1 ? NOTHING : String(at)} onValueChange={choose}>
      <SelectTrigger {...ties} className="w-full">
        <SelectValue placeholder={required ? "Choose…" : "None"} />
      </SelectTrigger>
      <SelectContent>
        {mayBeNothing && <SelectItem value={NOTHING}>None</SelectItem>}
        {choices.map((choice, index) => (
          <SelectItem key={String(choice)} value={String(index)}>
            {wordsOf(choice)}
          </SelectItem>
        ))}
      </SelectContent>
    </Select>
  );
}

const OPTION =
  "relative flex cursor-pointer items-center justify-center rounded-md text-sm font-medium text-muted-foreground transition-colors hover:text-foreground has-checked:bg-card has-checked:text-foreground has-checked:shadow-xs has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-ring dark:has-checked:bg-input";
/** The radio itself is there for the keyboard and for readers of the screen. */
const RADIO = "absolute inset-0 cursor-pointer appearance-none rounded-md outline-none";

function Segments({ field, value, onChange, ties }: ControlProps<FieldOf<"choice">>) {
  const group = useId();
  const { id, ...shared } = ties;
  return (
    <div
      id={id}
      role="radiogroup"
      {...shared}
      className="grid auto-cols-fr grid-flow-col gap-1 rounded-lg bg-secondary p-1 aria-invalid:ring-2 aria-invalid:ring-destructive aria-invalid:ring-offset-4 aria-invalid:ring-offset-card"
    >
      {field.choices.map((choice) => (
        <label key={String(choice)} className={cn(OPTION, "h-7 px-2 whitespace-nowrap")}>
          <input
            type="radio"
            name={group}
            className={RADIO}
            checked={value === choice}
            onChange={() => onChange(choice)}
          />
          {wordsOf(choice)}
        </label>
      ))}
    </div>
  );
}

export function RatioControl({ field, value, onChange, ties }: ControlProps<FieldOf<"ratio">>) {
  const group = useId();
  const { id, ...shared } = ties;
  return (
    <div
      id={id}
      role="radiogroup"
      {...shared}
      className="grid grid-cols-[repeat(auto-fill,minmax(3.25rem,1fr))] gap-1.5 rounded-lg aria-invalid:ring-2 aria-invalid:ring-destructive aria-invalid:ring-offset-4 aria-invalid:ring-offset-card"
    >
      {field.choices.map((choice) => (
        <label
          key={String(choice)}
          className="relative flex h-17 cursor-pointer flex-col items-center justify-end gap-1.5 rounded-lg bg-secondary/60 px-1 pb-2 text-center text-muted-foreground transition-colors hover:bg-secondary hover:text-foreground has-checked:bg-primary/12 has-checked:text-foreground has-checked:ring-2 has-checked:ring-primary has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-ring"
        >
          <input
            type="radio"
            name={group}
            className={RADIO}
            checked={value === choice}
            onChange={() => onChange(choice)}
          />
          <span className="grid flex-1 place-items-center">
            <ShapeSign choice={choice} />
          </span>
          <span className="text-[0.6875rem] leading-none font-medium tabular-nums">
            {shortened(wordsOf(choice))}
          </span>
        </label>
      ))}
    </div>
  );
}

/** "match input image" is as its input is. */
function shortened(words: string): string {
  return words.startsWith("match ") ? "as input" : words;
}

function ShapeSign({ choice }: { choice: Scalar }) {
  const shape = shapeOf(choice);
  if (shape === undefined) return <Sparkles aria-hidden className="size-4.5" />;
  const { width, height } = fitted(shape, 26);
  return (
    <svg aria-hidden width={28} height={28} viewBox="-14 -14 28 28">
      <rect
        x={-width / 2}
        y={-height / 2}
        width={width}
        height={height}
        rx={3}
        fill="currentColor"
        fillOpacity={0.14}
        stroke="currentColor"
        strokeWidth={1.6}
      />
    </svg>
  );
}

export function SwitchControl({ value, onChange, ties }: ControlProps<FieldOf<"switch">>) {
  const { "aria-required": _required, ...shared } = ties;
  return <Switch {...shared} checked={value === true} onCheckedChange={onChange} />;
}
