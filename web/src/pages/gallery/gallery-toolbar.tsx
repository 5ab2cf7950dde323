// Which jobs shall be shown: by text, by state, and by what the filters say.
import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { useFocusTarget } from "@/app/focus-target";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { stateWord } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { FilterPopover } from "@/pages/gallery/filter-popover";
import {
  LONGEST_TEXT,
  SINCE,
  STATE_NAMES,
  type GalleryQuery,
  type StateName,
} from "@/pages/gallery/gallery-url";

const STATES = Object.keys(STATE_NAMES) as StateName[];
/** After the last key, the list is asked for. */
const TYPING_MS = 250;

interface GalleryToolbarProps {
  query: GalleryQuery;
  onChange: (changed: Partial<GalleryQuery>) => void;
}

export function GalleryToolbar({ query, onChange }: GalleryToolbarProps) {
  return (
    <div
      role="search"
      className="sticky top-14 z-20 -mx-4 flex flex-wrap items-center gap-2 bg-background/85 px-4 pt-3 pb-4 backdrop-blur-lg sm:-mx-6 sm:px-6"
    >
      <SearchField text={query.text} onChange={(text) => onChange({ text })} />
      <FilterPopover query={query} onChange={onChange} />
      <StateChips states={query.states} onChange={(states) => onChange({ states })} />
      <Narrowed query={query} onChange={onChange} />
    </div>
  );
}

function SearchField({ text, onChange }: { text: string; onChange: (text: string) => void }) {
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
        placeholder="Search prompts"
        aria-label="Search prompts"
        className="pl-9"
      />
    </div>
  );
}

interface StateChipsProps {
  states: readonly StateName[];
  onChange: (states: StateName[]) => void;
}

function StateChips({ states, onChange }: StateChipsProps) {
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

/** What narrows the list beside text and states, each to be taken away. */
function Narrowed({ query, onChange }: GalleryToolbarProps) {
  const { model, since, labels } = query;
  return (
    <>
      {model !== "" && <Away words={model} onAway={() => onChange({ model: "" })} />}
      {since !== "" && <Away words={SINCE[since].words} onAway={() => onChange({ since: "" })} />}
      {labels.map((label) => (
        <Away
          key={label}
          words={label}
          onAway={() => onChange({ labels: labels.filter((one) => one !== label) })}
        />
      ))}
    </>
  );
}

function Away({ words, onAway }: { words: string; onAway: () => void }) {
  return (
    <Button
      variant="secondary"
      size="sm"
      onClick={onAway}
      aria-label={`Without the filter ${words}`}
      className="max-w-64 rounded-full"
    >
      <span className="truncate">{words}</span>
      <X aria-hidden />
    </Button>
  );
}
