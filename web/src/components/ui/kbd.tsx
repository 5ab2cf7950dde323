// Keys, as they stand on the keyboard: "mod+enter", "g c".
import { cn } from "@/lib/cn";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES: Readonly<Record<string, string>> = {
  mod: MAC ? "⌘" : "Ctrl",
  shift: MAC ? "⇧" : "Shift",
  alt: MAC ? "⌥" : "Alt",
  enter: "Enter",
  escape: "Esc",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  delete: "Del",
  space: "Space",
};

function Kbd({ keys, className }: { keys: string; className?: string }) {
  const steps = keys.split(" ");
  return (
    <span data-slot="kbd" className={cn("inline-flex items-center gap-1", className)}>
      {steps.map((step, at) => (
        <span key={at} className="inline-flex items-center gap-1">
          {at > 0 && <span className="text-xs text-muted-foreground">then</span>}
          {step.split("+").map((key) => (
            <kbd
              key={key}
              className="inline-flex h-6 min-w-6 items-center justify-center rounded-md bg-secondary px-1.5 font-sans text-xs font-medium text-secondary-foreground"
            >
              {NAMES[key] ?? key.toUpperCase()}
            </kbd>
          ))}
        </span>
      ))}
    </span>
  );
}

export { Kbd };
