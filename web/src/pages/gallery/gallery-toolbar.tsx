// Which jobs shall be shown: by text, by state, and by what the filters say.
import { X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { FilterPopover } from "@/pages/gallery/filter-popover";
import { SINCE, type GalleryQuery } from "@/pages/gallery/gallery-url";
import { SearchField } from "@/pages/gallery/search-field";
import { StateChips } from "@/pages/gallery/state-chips";

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
