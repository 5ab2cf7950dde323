// What a model makes, costs and takes, in one small line.
import { wordsOf } from "@/models/output-kind";
import { priceText, timeText } from "@/models/price";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { cn } from "@/lib/cn";

export function ModelFacts({ model, className }: { model: Model; className?: string }) {
  const { label, Icon } = wordsOf(model.outputKind);
  const facts = [priceText(model.price), timeText(model)].filter((fact) => fact !== undefined);
  return (
    <span
      className={cn(
        "flex min-w-0 items-center gap-x-1.5 text-xs text-muted-foreground tabular-nums",
        className,
      )}
    >
      <Icon aria-hidden className="size-3.5 shrink-0" />
      <span className="truncate">{[label, ...facts].join(" · ")}</span>
    </span>
  );
}

/** "flux-schnell", with its maker more quietly beside it. */
export function ModelName({ name }: { name: string }) {
  const [owner = "", title = ""] = name.split("/");
  return (
    <span className="flex min-w-0 items-baseline gap-1.5">
      <span className="truncate font-semibold">{title}</span>
      <span className="shrink-[1000] truncate text-xs text-muted-foreground">{owner}</span>
    </span>
  );
}
