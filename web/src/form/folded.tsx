// Fields that are folded away at first.
import { ChevronRight } from "lucide-react";
import { useRef, type ReactNode, type RefObject } from "react";

import { Collapsible, CollapsibleContent, CollapsibleTrigger } from "@/components/ui/collapsible";

interface FoldedProps {
  title: string;
  /** What it would show: how many of them are changed. */
  note: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: ReactNode;
}

export function Folded({ title, note, open, onOpenChange, children }: FoldedProps) {
  const whole = useRef<HTMLDivElement>(null);
  return (
    <Collapsible
      ref={whole}
      open={open}
      onOpenChange={(now) => {
        onOpenChange(now);
        if (now) showOnceOpen(whole);
      }}
    >
      <CollapsibleTrigger className="group -mx-1.5 flex h-9 w-[calc(100%+0.75rem)] items-center gap-2 rounded-lg px-1.5 text-sm font-medium text-muted-foreground hover:text-foreground">
        <ChevronRight
          aria-hidden
          className="size-4 transition-transform group-data-[state=open]:rotate-90"
        />
        {title}
        {note !== "" && <span className="ml-auto text-xs font-normal">{note}</span>}
      </CollapsibleTrigger>
      <CollapsibleContent>
        {/* Room for what lies around the focus, which the folding would cut off. */}
        <div className="-mx-1 grid gap-5 px-1 pt-2 pb-4">{children}</div>
      </CollapsibleContent>
    </Collapsible>
  );
}

/** As much of it as there is room for, from its title on: it opens below what is seen, or beneath
 * the button that stays in place. */
function showOnceOpen(whole: RefObject<HTMLElement | null>): void {
  requestAnimationFrame(() => {
    const element = whole.current;
    const unfolding = element?.getAnimations({ subtree: true }) ?? [];
    void Promise.allSettled(unfolding.map(({ finished }) => finished)).then(() =>
      element?.scrollIntoView({ block: "nearest", behavior: "smooth" }),
    );
  });
}
