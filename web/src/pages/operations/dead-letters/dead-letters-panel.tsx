// Jobs that were given up or are parked: which, why, and what is to be done about them?
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { problemOf } from "@/api/problem";
import { Alert, AlertDescription, AlertTitle } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import type { DeadLetter } from "@/gen/mediagen/v1/dead_letter_pb";
import { MOST_AT_ONCE, type Decision } from "@/pages/operations/dead-letters/decision";
import { DecisionDialog } from "@/pages/operations/dead-letters/decision-dialog";
import {
  filterOf,
  useLetterChoice,
  type LetterChoice,
} from "@/pages/operations/dead-letters/letter-filter";
import { LetterFilters } from "@/pages/operations/dead-letters/letter-filters";
import { LetterSheet } from "@/pages/operations/dead-letters/letter-sheet";
import { LettersTable } from "@/pages/operations/dead-letters/letters-table";
import { Nothing, Panel } from "@/pages/operations/panel";
import { deadLettersQuery } from "@/pages/operations/queries";

export function DeadLettersPanel() {
  const [choice, choose] = useLetterChoice();
  const letters = useInfiniteQuery(deadLettersQuery(filterOf(choice)));
  const shown = useMemo(
    () => letters.data?.pages.flatMap(({ deadLetters }) => deadLetters) ?? [],
    [letters.data],
  );
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<DeadLetter>();
  const [decision, setDecision] = useState<Decision>();
  // Of what is chosen, only what is still shown is decided about.
  const chosen = new Set(shown.map(({ jobId }) => jobId).filter((jobId) => marked.has(jobId)));
  const decide = (kind: Decision["kind"], jobIds: readonly string[]): void => {
    setOpen(undefined);
    setDecision({ kind, jobIds: jobIds.slice(0, MOST_AT_ONCE) });
  };
  return (
    <Panel
      title="Dead letters"
      aside={<Bulk count={chosen.size} onDecide={(kind) => decide(kind, [...chosen])} />}
    >
      <LetterFilters choice={choice} onChoose={choose} />
      {letters.error && (
        <Alert variant="destructive" role="alert">
          <AlertTitle>{letters.data ? "These are old" : "They can not be listed"}</AlertTitle>
          <AlertDescription>{problemOf(letters.error).message}</AlertDescription>
        </Alert>
      )}
      {letters.isPending && <Skeleton className="h-40" />}
      {letters.data && shown.length === 0 && <Nothing>{emptyWords(choice)}</Nothing>}
      {shown.length > 0 && (
        <LettersTable letters={shown} chosen={chosen} onChosen={setMarked} onOpen={setOpen} />
      )}
      {letters.hasNextPage && (
        <Button
          variant="secondary"
          className="justify-self-center"
          disabled={letters.isFetchingNextPage}
          onClick={() => void letters.fetchNextPage()}
        >
          Show more
        </Button>
      )}
      <LetterSheet letter={open} onClose={() => setOpen(undefined)} onDecide={decide} />
      <DecisionDialog
        decision={decision}
        onClose={() => {
          setDecision(undefined);
          setMarked(new Set());
        }}
      />
    </Panel>
  );
}

function emptyWords({ letters, reason, charge, model }: LetterChoice): string {
  const usual = letters === "" && reason === "" && charge === "" && model === "";
  return usual ? "No job waits for a decision." : "There are none of these.";
}

function Bulk({ count, onDecide }: { count: number; onDecide: (kind: Decision["kind"]) => void }) {
  const none = count === 0;
  return (
    <div className="flex items-center gap-2">
      <span role="status" className="text-sm text-muted-foreground empty:sr-only">
        {none ? "" : `${count} chosen`}
      </span>
      <Button size="sm" disabled={none} onClick={() => onDecide("redrive")}>
        Make again…
      </Button>
      <Button size="sm" variant="secondary" disabled={none} onClick={() => onDecide("discard")}>
        Discard…
      </Button>
    </div>
  );
}
