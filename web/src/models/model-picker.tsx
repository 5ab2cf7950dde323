// A window to choose a model in: type to find it, arrows and Enter to take it.
import { useQuery } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { useState } from "react";

import { problemOf } from "@/api/problem";
import { Button } from "@/components/ui/button";
import {
  Command,
  CommandEmpty,
  CommandInput,
  CommandItem,
  CommandList,
} from "@/components/ui/command";
import { Dialog, DialogContent, DialogDescription, DialogTitle } from "@/components/ui/dialog";
import type { Model, Model_OutputKind } from "@/gen/mediagen/v1/model_pb";
import { cn } from "@/lib/cn";
import { Cover } from "@/models/cover";
import { ModelFacts, ModelName } from "@/models/model-facts";
import { wordsOf } from "@/models/output-kind";
import { allModels } from "@/models/queries";
import { found, isReferenceToModel } from "@/models/search";

interface ModelPickerProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  chosen: string;
  onChoose: (name: string) => void;
  /** Puts the focus where it belongs: a key may have opened the window from anywhere. */
  onClosed: () => void;
}

export function ModelPicker({ open, onOpenChange, chosen, onChoose, onClosed }: ModelPickerProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        showCloseButton={false}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          onClosed();
        }}
        className="flex h-[min(44rem,calc(100dvh-2rem))] max-w-2xl flex-col gap-0 overflow-hidden p-0"
      >
        <DialogTitle className="sr-only">Choose a model</DialogTitle>
        <DialogDescription className="sr-only">
          Type to search, arrows to move, Enter to choose.
        </DialogDescription>
        <Choices
          chosen={chosen.split(":")[0] ?? ""}
          onChoose={(name) => {
            onChoose(name);
            onOpenChange(false);
          }}
        />
      </DialogContent>
    </Dialog>
  );
}

function Choices({ chosen, onChoose }: { chosen: string; onChoose: (name: string) => void }) {
  const { data: models = [], error, isPending } = useQuery(allModels);
  const [query, setQuery] = useState("");
  const [kind, setKind] = useState<Model_OutputKind>();
  const shown = found(models, query).filter(
    (model) => kind === undefined || model.outputKind === kind,
  );
  const other = query.trim();
  const named = isReferenceToModel(other) && !shown.some(({ name }) => name === other);
  return (
    <Command shouldFilter={false} className="min-h-0 flex-1">
      <CommandInput
        aria-label="Search models"
        placeholder="Search, or name one: owner/name"
        value={query}
        onValueChange={setQuery}
        className="h-14"
      />
      <Kinds models={models} kind={kind} onKind={setKind} />
      <CommandList aria-label="Models" className="max-h-none min-h-0 flex-1 p-2 pt-0">
        {shown.map((model) => (
          <Choice key={model.name} {...{ model, onChoose }} selected={model.name === chosen} />
        ))}
        {named && <Other name={other} onChoose={onChoose} />}
      </CommandList>
      <CommandEmpty>
        {error !== null
          ? problemOf(error).message
          : isPending
            ? "Asking for the models…"
            : "No model is found by that. Any other can be named: owner/name."}
      </CommandEmpty>
    </Command>
  );
}

interface KindsProps {
  models: readonly Model[];
  kind: Model_OutputKind | undefined;
  onKind: (kind: Model_OutputKind | undefined) => void;
}

function Kinds({ models, kind, onKind }: KindsProps) {
  const kinds = [...new Set(models.map(({ outputKind }) => outputKind))].sort((a, b) => a - b);
  if (kinds.length < 2) return <div className="h-2" />;
  return (
    <div role="group" aria-label="What it makes" className="flex gap-1.5 overflow-x-auto p-3">
      {[undefined, ...kinds].map((one) => (
        <Button
          key={one ?? "all"}
          size="sm"
          variant={one === kind ? "default" : "secondary"}
          aria-pressed={one === kind}
          className="rounded-full"
          onClick={() => onKind(one)}
        >
          {one === undefined ? "All" : wordsOf(one).label}
        </Button>
      ))}
    </div>
  );
}

interface ChoiceProps {
  model: Model;
  selected: boolean;
  onChoose: (name: string) => void;
}

function Choice({ model, selected, onChoose }: ChoiceProps) {
  return (
    <CommandItem
      value={model.name}
      selected={selected}
      onSelect={onChoose}
      className="items-start gap-3.5 rounded-xl p-2.5"
    >
      <Cover model={model} className="size-18 shrink-0 max-sm:size-14" />
      <span className="grid min-w-0 flex-1 gap-1">
        <ModelName name={model.name} />
        <span className="line-clamp-2 text-[0.8125rem] leading-snug text-pretty text-muted-foreground">
          {model.description}
        </span>
        <ModelFacts model={model} className="mt-0.5" />
      </span>
      <Check
        aria-hidden
        className={cn("mt-1 size-4 text-primary", !selected && "invisible max-sm:hidden")}
      />
    </CommandItem>
  );
}

/** One that the catalogue may not know yet. */
function Other({ name, onChoose }: { name: string; onChoose: (name: string) => void }) {
  return (
    <CommandItem value={name} onSelect={() => onChoose(name)} className="gap-3.5 rounded-xl p-2.5">
      <Cover model={{ name, coverUrl: "" }} className="size-14 shrink-0" />
      <span className="grid min-w-0 gap-0.5">
        <span className="truncate font-semibold">Use {name}</span>
        <span className="text-[0.8125rem] text-muted-foreground">It is looked up first.</span>
      </span>
    </CommandItem>
  );
}
