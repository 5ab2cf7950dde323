// Which dead letters? By what became of them, why, at what cost, and of which model.
import { useEffect, useId, useState } from "react";

import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import {
  Select,
  SelectContent,
  SelectItem,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";
import { Charge } from "@/gen/mediagen/v1/attempt_pb";
import { FailureReason } from "@/gen/mediagen/v1/failure_pb";
import { chargeWord } from "@/jobs/words";
import { failureTitle } from "@/pages/job/words";
import { STATES, wordOf, type LetterChoice } from "@/pages/operations/dead-letters/letter-filter";

interface LetterFiltersProps {
  choice: LetterChoice;
  onChoose: (name: keyof LetterChoice, to: string) => void;
}

interface Option {
  id: string;
  name: string;
}

/** A list of options needs a word for none. */
const ANY = "any";
const TYPING_MS = 300;

const REASONS: readonly Option[] = Object.values(FailureReason)
  .filter((reason) => typeof reason !== "string" && reason !== FailureReason.UNSPECIFIED)
  .map((reason) => ({ id: wordOf(FailureReason, reason), name: failureTitle(reason) }));
const CHARGES: readonly Option[] = [Charge.NO, Charge.YES, Charge.UNKNOWN].map((charge) => ({
  id: wordOf(Charge, charge),
  name: chargeWord(charge),
}));
const STATE_OPTIONS: readonly Option[] = STATES.map(({ id, name }) => ({ id: id || ANY, name }));

export function LetterFilters({ choice, onChoose }: LetterFiltersProps) {
  return (
    <div className="grid grid-cols-2 items-end gap-3 sm:flex sm:flex-wrap">
      <Choice
        label="State"
        value={choice.letters}
        options={STATE_OPTIONS}
        onChoose={(to) => onChoose("letters", to)}
      />
      <Choice
        label="Reason"
        value={choice.reason}
        options={[{ id: ANY, name: "Any reason" }, ...REASONS]}
        onChoose={(to) => onChoose("reason", to)}
      />
      <Choice
        label="Charge"
        value={choice.charge}
        options={[{ id: ANY, name: "Any charge" }, ...CHARGES]}
        onChoose={(to) => onChoose("charge", to)}
      />
      <ModelField value={choice.model} onChoose={(to) => onChoose("model", to)} />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly Option[];
  onChoose: (to: string) => void;
}

function Choice({ label, onChoose, options, value }: ChoiceProps) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <Label htmlFor={id} className="text-xs text-muted-foreground">
        {label}
      </Label>
      <Select value={value || ANY} onValueChange={(to) => onChoose(to === ANY ? "" : to)}>
        <SelectTrigger id={id} size="sm" className="w-full sm:min-w-36">
          <SelectValue />
        </SelectTrigger>
        <SelectContent aria-label={label}>
          {options.map((option) => (
            <SelectItem key={option.id} value={option.id}>
              {option.name}
            </SelectItem>
          ))}
        </SelectContent>
      </Select>
    </div>
  );
}

function ModelField({ onChoose, value }: { value: string; onChoose: (to: string) => void }) {
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onChoose(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [onChoose, text, value]);
  return (
    <div className="grid min-w-0 gap-1.5 sm:max-w-72 sm:min-w-56 sm:flex-1">
      <Label htmlFor={id} className="text-xs text-muted-foreground">
        Model, as submitted
      </Label>
      <Input
        id={id}
        type="search"
        value={text}
        placeholder="owner/name"
        className="h-8"
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}
