// The model that is in use: press to choose another.
import { ChevronsUpDown } from "lucide-react";
import type { ComponentProps } from "react";

import { Skeleton } from "@/components/ui/skeleton";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { Cover } from "@/models/cover";
import { ModelFacts, ModelName } from "@/models/model-facts";

interface ModelCardProps extends ComponentProps<"button"> {
  /** undefined: it is being asked for, or there is none. */
  model: Model | undefined;
  isUnknown: boolean;
  /** As it is named meanwhile. */
  name: string;
}

export function ModelCard({ model, isUnknown, name, ...props }: ModelCardProps) {
  const shortVersion = name.split(":")[1]?.slice(0, 8);
  return (
    <button
      type="button"
      className="flex w-full items-center gap-3 rounded-xl bg-secondary/60 p-2 text-left transition-colors hover:bg-secondary"
      {...props}
    >
      <Cover
        model={{ name: name.split(":")[0] ?? name, coverUrl: model?.coverUrl ?? "" }}
        className="size-14 shrink-0"
      />
      <span className="grid min-w-0 flex-1 gap-1 text-sm">
        <span className="flex min-w-0">
          <span className="sr-only">Model: </span>
          <ModelName name={name.split(":")[0] ?? name} />
        </span>
        {model !== undefined && <ModelFacts model={model} />}
        {model === undefined && !isUnknown && <Skeleton className="h-4 w-36" />}
        {shortVersion !== undefined && (
          <span className="font-mono text-xs text-muted-foreground">version {shortVersion}</span>
        )}
      </span>
      <span className="sr-only">. Choose another</span>
      <ChevronsUpDown aria-hidden className="mr-1.5 size-4 shrink-0 text-muted-foreground" />
    </button>
  );
}
