// All about one dead letter: why, and every call that was made for it.
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { problemOf } from "@/api/problem";
import { jobPath } from "@/api/urls";
import { Button } from "@/components/ui/button";
import {
  Sheet,
  SheetContent,
  SheetDescription,
  SheetFooter,
  SheetHeader,
  SheetTitle,
} from "@/components/ui/sheet";
import { Skeleton } from "@/components/ui/skeleton";
import type { DeadLetter } from "@/gen/mediagen/v1/dead_letter_pb";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { chargeWord } from "@/jobs/words";
import { AttemptFacts } from "@/pages/job/attempt-facts";
import { attemptTitle, failureTitle } from "@/pages/job/words";
import type { DecisionKind } from "@/pages/operations/dead-letters/decision";
import { LetterState } from "@/pages/operations/dead-letters/letters-table";
import { deadLetterQuery } from "@/pages/operations/queries";

interface LetterSheetProps {
  letter: DeadLetter | undefined;
  onClose: () => void;
  onDecide: (kind: DecisionKind, jobIds: readonly string[]) => void;
}

export function LetterSheet({ letter, onClose, onDecide }: LetterSheetProps) {
  return (
    <Sheet open={letter !== undefined} onOpenChange={(open) => !open && onClose()}>
      {letter && (
        <SheetContent className="w-full max-w-xl">
          <SheetHeader>
            <SheetTitle>{letter.failure && failureTitle(letter.failure.reason)}</SheetTitle>
            <SheetDescription>{letter.failure?.message}</SheetDescription>
          </SheetHeader>
          <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-2 text-sm">
            <dt className="text-muted-foreground">State</dt>
            <dd>
              <LetterState letter={letter} />
            </dd>
            <dt className="text-muted-foreground">Model</dt>
            <dd className="break-words">{letter.model}</dd>
            <dt className="text-muted-foreground">Charged</dt>
            <dd>{chargeWord(letter.charge)}</dd>
            {letter.tenant !== "" && (
              <>
                <dt className="text-muted-foreground">Tenant</dt>
                <dd className="break-words">{letter.tenant}</dd>
              </>
            )}
          </dl>
          <Whole jobId={letter.jobId} />
          <SheetFooter className="mt-auto">
            <Button variant="ghost" asChild>
              <Link to={jobPath(letter.jobId)}>Open the job</Link>
            </Button>
            <Button variant="secondary" onClick={() => onDecide("discard", [letter.jobId])}>
              Discard…
            </Button>
            <Button onClick={() => onDecide("redrive", [letter.jobId])}>Make again…</Button>
          </SheetFooter>
        </SheetContent>
      )}
    </Sheet>
  );
}

function Whole({ jobId }: { jobId: string }) {
  const { data, error } = useQuery(deadLetterQuery(jobId));
  if (error) return <p className="text-sm text-destructive">{problemOf(error).message}</p>;
  const job = data?.deadLetter?.job;
  return job ? <Calls job={job} /> : <Skeleton className="h-32" />;
}

function Calls({ job }: { job: Job }) {
  return (
    <div className="grid gap-5">
      {job.request?.prompt && (
        <div className="grid gap-1">
          <h3 className="text-sm font-medium">Prompt</h3>
          <p className="line-clamp-6 text-sm break-words whitespace-pre-wrap">
            {job.request.prompt}
          </p>
        </div>
      )}
      {job.attempts.length === 0 && <p className="text-sm">No call was made for it.</p>}
      {job.attempts.map((attempt) => (
        <div key={attempt.number} className="grid gap-2">
          <h3 className="text-sm font-medium">
            Attempt {attempt.number}: {attemptTitle(attempt.state)}
          </h3>
          <AttemptFacts attempt={attempt} />
        </div>
      ))}
    </div>
  );
}
