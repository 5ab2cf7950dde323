// The filters that are needed less often: the model, the time, labels.
import { useQuery } from "@tanstack/react-query";
import { SlidersHorizontal } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import {
  Select,
  SelectContent,
  SelectItem,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";
import { allModels } from "@/models/queries";
import {
  isLabel,
  narrowings,
  SINCE,
  type GalleryQuery,
  type Since,
} from "@/pages/gallery/gallery-url";

interface FilterPopoverProps {
  query: GalleryQuery;
  onChange: (changed: Partial<GalleryQuery>) => void;
}

/** A select has no empty value. */
const ANY = "any";

export function FilterPopover({ query, onChange }: FilterPopoverProps) {
  const count = narrowings(query);
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button variant="outline" className="bg-card">
          <SlidersHorizontal aria-hidden />
          <span className="max-sm:sr-only">Filters</span>
          {count > 0 && <span className="tabular-nums">({count})</span>}
        </Button>
      </PopoverTrigger>
      <PopoverContent align="start" className="grid w-80 gap-4" aria-label="Filters">
        <ModelFilter model={query.model} onChange={(model) => onChange({ model })} />
        <SinceFilter since={query.since} onChange={(since) => onChange({ since })} />
        <LabelFilter
          onAdd={(label) => onChange({ labels: [...new Set([...query.labels, label])] })}
        />
      </PopoverContent>
    </Popover>
  );
}

function ModelFilter({ model, onChange }: { model: string; onChange: (model: string) => void }) {
  const { data: models = [] } = useQuery(allModels);
  const names = [...new Set([...models.map(({ name }) => name), ...(model === "" ? [] : [model])])];
  return (
    <div className="grid gap-1.5">
      <Label htmlFor="filter-model">Model</Label>
      <Select
        value={model === "" ? ANY : model}
        onValueChange={(value) => onChange(value === ANY ? "" : value)}
      >
        <SelectTrigger id="filter-model" className="w-full">
          <SelectValue />
        </SelectTrigger>
        <SelectContent>
          <SelectItem value={ANY}>Any model</SelectItem>
          {names.map((name) => (
            <SelectItem key={name} value={name}>
              {name}
            </SelectItem>
          ))}
        </SelectContent>
      </Select>
    </div>
  );
}

interface SinceFilterProps {
  since: Since | "";
  onChange: (since: Since | "") => void;
}

function SinceFilter({ since, onChange }: SinceFilterProps) {
  return (
    <div className="grid gap-1.5">
      <Label htmlFor="filter-since">Accepted</Label>
      <Select
        value={since === "" ? ANY : since}
        onValueChange={(value) => onChange(value === ANY ? "" : (value as Since))}
      >
        <SelectTrigger id="filter-since" className="w-full">
          <SelectValue />
        </SelectTrigger>
        <SelectContent>
          <SelectItem value={ANY}>At any time</SelectItem>
          {Object.entries(SINCE).map(([name, { words }]) => (
            <SelectItem key={name} value={name}>
              {words}
            </SelectItem>
          ))}
        </SelectContent>
      </Select>
    </div>
  );
}

function LabelFilter({ onAdd }: { onAdd: (label: string) => void }) {
  const [typed, setTyped] = useState("");
  const wrong = typed !== "" && !isLabel(typed);
  return (
    <form
      className="grid gap-1.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isLabel(typed)) return;
        onAdd(typed);
        setTyped("");
      }}
    >
      <Label htmlFor="filter-label">Label</Label>
      <div className="flex gap-2">
        <Input
          id="filter-label"
          value={typed}
          onChange={(event) => setTyped(event.target.value.trim())}
          placeholder="team=films"
          aria-describedby="filter-label-form"
          autoCapitalize="none"
        />
        <Button type="submit" variant="secondary" disabled={typed === "" || wrong}>
          Add
        </Button>
      </div>
      <p id="filter-label-form" className="text-xs text-muted-foreground">
        As key=value; the key in lower case.
      </p>
    </form>
  );
}
