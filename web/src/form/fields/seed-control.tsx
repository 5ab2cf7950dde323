// The seed: with a lock, the same with every job; without one, the model's choice.
import { Dices, Lock, LockOpen } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import type { FieldOf } from "@/form/field";
import type { ControlProps } from "@/form/fields/input-control";

export function SeedControl({ field, value, set, onChange, ties }: ControlProps<FieldOf<"seed">>) {
  const locked = typeof set === "number";
  const roll = () => onChange(randomSeed(field.minimum, field.maximum));
  return (
    <div className="flex items-center gap-2">
      <Input
        {...ties}
        type="number"
        inputMode="numeric"
        min={field.minimum}
        step={1}
        value={typeof value === "number" && locked ? value : ""}
        placeholder={
          typeof field.fallback === "number" ? String(field.fallback) : "Random each time"
        }
        onWheel={(event) => event.currentTarget.blur()}
        onChange={({ target }) =>
          onChange(Number.isNaN(target.valueAsNumber) ? undefined : target.valueAsNumber)
        }
        className="tabular-nums"
      />
      <Button variant="secondary" size="icon" aria-label="Roll a seed" title="Roll" onClick={roll}>
        <Dices aria-hidden />
      </Button>
      <Button
        variant={locked ? "default" : "secondary"}
        size="icon"
        aria-pressed={locked}
        aria-label="Keep this seed"
        title={locked ? "The same seed each time" : "Another seed each time"}
        onClick={locked ? () => onChange(undefined) : roll}
      >
        {locked ? <Lock aria-hidden /> : <LockOpen aria-hidden />}
      </Button>
    </div>
  );
}

export function randomSeed(least: number, most: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return least + (random % (most - least + 1));
}
