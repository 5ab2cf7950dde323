// Which states are shown? Each is a press.
import { Button } from "@/components/ui/button";
import { stateWord } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { STATE_NAMES, type StateName } from "@/pages/gallery/gallery-url";

const STATES = Object.keys(STATE_NAMES) as StateName[];

interface StateChipsProps {
  states: readonly StateName[];
  onChange: (states: StateName[]) => void;
}

export function StateChips({ states, onChange }: StateChipsProps) {
  return (
    <div
      role="group"
      aria-label="States"
      className="flex scroll-slim items-center gap-1 overflow-x-auto p-0.5 max-sm:w-full"
    >
      <Chip pressed={states.length === 0} words="All" onPress={() => onChange([])} />
      {STATES.map((name) => {
        const pressed = states.includes(name);
        const without = states.filter((one) => one !== name);
        return (
          <Chip
            key={name}
            pressed={pressed}
            words={stateWord(STATE_NAMES[name])}
            onPress={() => onChange(pressed ? without : [...states, name])}
          />
        );
      })}
    </div>
  );
}

interface ChipProps {
  pressed: boolean;
  words: string;
  onPress: () => void;
}

function Chip({ pressed, words, onPress }: ChipProps) {
  return (
    <Button
      variant={pressed ? "secondary" : "ghost"}
      size="sm"
      aria-pressed={pressed}
      onClick={onPress}
      className={cn("rounded-full", !pressed && "text-muted-foreground")}
    >
      {words}
    </Button>
  );
}
