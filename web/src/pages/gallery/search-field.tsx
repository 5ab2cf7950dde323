// Which jobs have this in their words? Asked for as it is typed.
import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { useFocusTarget } from "@/app/focus-target";
import { Input } from "@/components/ui/input";
import { LONGEST_TEXT } from "@/pages/gallery/gallery-url";

/** After the last key, the list is asked for. */
const TYPING_MS = 250;

interface SearchFieldProps {
  text: string;
  onChange: (text: string) => void;
}

export function SearchField({ text, onChange }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(text);
  const [shown, setShown] = useState(text);
  const [sent, setSent] = useState(text);
  useFocusTarget("search", field);
  // Changed by somebody else: going back, or showing everything. What was sent from here comes back
  // later, when more may have been typed.
  if (text !== shown) {
    setShown(text);
    if (text !== sent) {
      setSent(text);
      setTyped(text);
    }
  }
  useEffect(() => {
    if (typed === sent) return;
    const timer = setTimeout(() => {
      setSent(typed);
      onChange(typed);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, sent, onChange]);
  return (
    <div className="relative min-w-40 flex-1 sm:max-w-80">
      <Search
        className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted-foreground"
        aria-hidden
      />
      <Input
        ref={field}
        type="search"
        value={typed}
        maxLength={LONGEST_TEXT}
        onChange={(event) => setTyped(event.target.value)}
        placeholder="Search prompts and texts"
        aria-label="Search prompts and texts"
        className="pl-9"
      />
    </div>
  );
}
