// There is no form: why, and what to do instead.
import { ArrowRight, ChevronsUpDown } from "lucide-react";

import { problemOf, type Problem } from "@/api/problem";
import { Button } from "@/components/ui/button";

interface ModelFailureProps {
  error: Error;
  /** undefined: it is asked again by itself. */
  onRetry: (() => void) | undefined;
  /** Takes the model that may be meant. */
  onChoose?: (name: string) => void;
  /** Opens the window to choose one in. */
  onPick?: () => void;
}

export function ModelFailure({ error, onRetry, onChoose, onPick }: ModelFailureProps) {
  const problem = problemOf(error);
  const unknown = problem.reason === "MODEL_NOT_FOUND";
  const similar = unknown ? problem.metadata["similar"] : undefined;
  return (
    <div role="alert" className="grid justify-items-start gap-3 pb-5 text-sm">
      <div className="grid gap-1">
        <p className="font-medium">{unknown ? "This model is not here" : "There is no form yet"}</p>
        <p className="text-pretty break-words text-muted-foreground">{saidOf(problem, similar)}</p>
      </div>
      {similar !== undefined && onChoose && (
        <p className="grid w-full gap-2">
          Did you mean this one?
          <Button
            variant="secondary"
            className="w-full justify-between"
            onClick={() => onChoose(similar)}
          >
            <span className="truncate">{similar}</span>
            <ArrowRight aria-hidden />
          </Button>
        </p>
      )}
      {unknown && onPick && (
        <Button variant="secondary" className="w-full justify-between" onClick={onPick}>
          {similar === undefined ? "Choose another model" : "No, show me all"}
          <ChevronsUpDown aria-hidden />
        </Button>
      )}
      {!unknown && onRetry && (
        <Button variant="secondary" onClick={onRetry}>
          Try again
        </Button>
      )}
      {!unknown && !onRetry && (
        <p className="text-muted-foreground">It is asked again by itself…</p>
      )}
    </div>
  );
}

/** Without the question at its end, which is asked by the button. */
function saidOf({ message }: Problem, similar: string | undefined): string {
  return similar === undefined ? message : message.replace(` Did you mean ${similar}?`, "");
}
