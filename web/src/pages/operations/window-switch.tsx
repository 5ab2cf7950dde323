// How far back? Chosen here, kept in the URL.
import { RadioGroup } from "radix-ui";

import { WINDOWS, type Window } from "@/pages/operations/windows";

interface WindowSwitchProps {
  chosen: Window;
  onChoose: (id: string) => void;
}

export function WindowSwitch({ chosen, onChoose }: WindowSwitchProps) {
  return (
    <RadioGroup.Root
      aria-label="How far back"
      value={chosen.id}
      onValueChange={onChoose}
      className="inline-flex h-9 items-center rounded-lg bg-secondary p-1 text-muted-foreground"
    >
      {WINDOWS.map(({ id, name }) => (
        <RadioGroup.Item
          key={id}
          value={id}
          className="h-full rounded-md px-3 text-sm font-medium whitespace-nowrap transition-colors hover:text-foreground data-[state=checked]:bg-card data-[state=checked]:text-foreground data-[state=checked]:shadow-xs"
        >
          {name}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
