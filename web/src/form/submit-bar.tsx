// The button that asks for the job, and what the job will cost.
import { Sparkles } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { Kbd } from "@/components/ui/kbd";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { wordsOf } from "@/models/output-kind";
import { estimate, priceText, usd, timeText } from "@/models/price";

interface SubmitBarProps {
  model: Model;
  /** What is said beside the price. */
  aside: ReactNode;
  outputs: number;
  secondsOfOutput: number | undefined;
}

export function SubmitBar({ model, aside, outputs, secondsOfOutput }: SubmitBarProps) {
  const { makes } = wordsOf(model.outputKind);
  return (
    <div className="grid gap-2">
      <Button type="submit" size="lg" className="w-full rounded-xl font-semibold">
        <Sparkles aria-hidden />
        Generate {outputs > 1 ? `${outputs} ${makes}s` : makes}
      </Button>
      <div className="flex min-h-5 items-center justify-between gap-3 text-xs text-muted-foreground">
        <span>{costWords(model, outputs, secondsOfOutput)}</span>
        {aside}
        <Kbd keys="mod+enter" className="hidden sm:inline-flex" />
      </div>
    </div>
  );
}

function costWords(model: Model, outputs: number, secondsOfOutput: number | undefined): string {
  const cost = estimate(model, outputs, secondsOfOutput);
  const price = priceText(model.price);
  const parts = [
    cost === undefined ? price : `${cost.rough ? "About " : ""}${usd(cost.usd)} a run`,
    timeText(model),
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}
