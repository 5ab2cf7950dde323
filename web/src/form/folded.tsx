// Fields that are folded away at first.
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";

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
  return (
    <Collapsible open={open} onOpenChange={onOpenChange}>
      <CollapsibleTrigger className="group flex h-9 w-full items-center gap-2 rounded-lg text-sm font-medium text-muted-foreground hover:text-foreground">
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
