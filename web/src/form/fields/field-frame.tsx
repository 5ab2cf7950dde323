// What is around a control: its name, its explanation, what is wrong with it, and the way back.
import { RotateCcw } from "lucide-react";
import { useId, useState, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { capital, type FieldProblem } from "@/form/field-problems";
import { cn } from "@/lib/cn";

/** What ties a control to its frame. */
export interface Ties {
  id: string;
  "aria-labelledby": string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
  "aria-required": true | undefined;
}

interface FieldFrameProps {
  /** The input that it sets, or several with spaces between them. */
  name: string;
  title: string;
  description?: string;
  required?: boolean;
  /** Whether it is one thing to focus; else the name is that of a group. */
  single?: boolean;
  problems?: readonly FieldProblem[];
  /** Beside the name, at the right. */
  aside?: ReactNode;
  /** The name and the control in one line. */
  inline?: boolean;
  onReset?: (() => void) | undefined;
  children: (ties: Ties) => ReactNode;
}

export function FieldFrame({
  single = true,
  inline = false,
  problems = [],
  ...props
}: FieldFrameProps) {
  const { name, title, description = "", required, aside, onReset, children } = props;
  const id = useId();
  const described = [
    ...(description === "" ? [] : [`${id}-hint`]),
    ...(problems.length > 0 ? [`${id}-wrong`] : []),
  ];
  const label = <FieldLabel id={id} single={single} title={title} required={required === true} />;
  const control = children({
    id,
    "aria-labelledby": `${id}-name`,
    "aria-describedby": described.length > 0 ? described.join(" ") : undefined,
    "aria-invalid": problems.length > 0 || undefined,
    "aria-required": required === true || undefined,
  });
  return (
    <div data-field={name} data-control={id} className="grid gap-2">
      <div className="flex min-h-6 items-center gap-2">
        {label}
        {onReset && <ResetButton title={title} onReset={onReset} />}
        {aside !== undefined && <div className="ml-auto">{aside}</div>}
        {inline && <div className="ml-auto">{control}</div>}
      </div>
      {!inline && control}
      {problems.length > 0 && <Wrong id={`${id}-wrong`} problems={problems} />}
      {description !== "" && <Hint id={`${id}-hint`} text={description} />}
    </div>
  );
}

interface FieldLabelProps {
  id: string;
  single: boolean;
  title: string;
  required: boolean;
}

function FieldLabel({ id, single, title, required }: FieldLabelProps) {
  const Tag = single ? "label" : "span";
  return (
    <Tag
      id={`${id}-name`}
      {...(single && { htmlFor: id })}
      className="text-sm leading-tight font-medium"
    >
      {title}
      {required && (
        <span aria-hidden className="ml-0.5 text-muted-foreground">
          *
        </span>
      )}
    </Tag>
  );
}

function ResetButton({ title, onReset }: { title: string; onReset: () => void }) {
  return (
    <Button
      variant="ghost"
      size="icon-sm"
      className="size-6 text-muted-foreground"
      aria-label={`Reset ${title}`}
      title="Back to the default"
      onClick={onReset}
    >
      <RotateCcw className="size-3.5" aria-hidden />
    </Button>
  );
}

function Wrong({ id, problems }: { id: string; problems: readonly FieldProblem[] }) {
  return (
    <div id={id} className="grid gap-0.5 text-sm text-destructive">
      {problems.map(({ index, description }) => (
        <p key={`${index ?? ""}${description}`}>
          {index === undefined ? "" : `${index + 1}: `}
          {capital(description)}
        </p>
      ))}
    </div>
  );
}

/** Letters of an explanation that is shown whole. */
const SHORT = 110;

/** Readers of the screen always get all of it. */
function Hint({ id, text }: { id: string; text: string }) {
  const [open, setOpen] = useState(false);
  const long = text.length > SHORT;
  return (
    <div className="text-xs leading-relaxed text-muted-foreground">
      <p id={id} className={cn("text-pretty", long && !open && "line-clamp-2")}>
        {text}
      </p>
      {long && (
        <button
          type="button"
          tabIndex={-1}
          aria-hidden
          className="font-medium underline-offset-2 hover:text-foreground hover:underline"
          onClick={() => setOpen(!open)}
        >
          {open ? "Less" : "More"}
        </button>
      )}
    </div>
  );
}
