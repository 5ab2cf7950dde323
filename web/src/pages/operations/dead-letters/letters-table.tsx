// Dead letters, one a line, to be chosen for a decision.
import { timestampMs } from "@bufbuild/protobuf/wkt";

import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import {
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableHeader,
  TableRow,
} from "@/components/ui/table";
import { DeadLetter_State as State, type DeadLetter } from "@/gen/mediagen/v1/dead_letter_pb";
import { chargeWord } from "@/jobs/words";
import { failureTitle } from "@/pages/job/words";
import { JobLink } from "@/pages/operations/dead-letters/job-links";
import { STATES } from "@/pages/operations/dead-letters/letter-filter";

interface LettersTableProps {
  letters: readonly DeadLetter[];
  chosen: ReadonlySet<string>;
  onChosen: (chosen: ReadonlySet<string>) => void;
  onOpen: (letter: DeadLetter) => void;
}

const UNDECIDED: ReadonlySet<State> = new Set([State.PARKED, State.DEAD]);

export function LettersTable({ chosen, letters, onChosen, onOpen }: LettersTableProps) {
  const all = letters.length > 0 && letters.every(({ jobId }) => chosen.has(jobId));
  const some = letters.some(({ jobId }) => chosen.has(jobId));
  const onAll = (): void => onChosen(all ? new Set() : new Set(letters.map(({ jobId }) => jobId)));
  return (
    <Table>
      <TableHeader>
        <TableRow>
          <TableHead className="w-8 pl-0">
            <Checkbox
              aria-label="Choose all that are shown"
              checked={all || (some && "indeterminate")}
              onCheckedChange={onAll}
            />
          </TableHead>
          <TableHead>Why</TableHead>
          <TableHead>Model</TableHead>
          <TableHead>Job</TableHead>
          <TableHead>Charge</TableHead>
          <TableHead>State</TableHead>
          <TableHead>When</TableHead>
          <TableHead className="pr-0">
            <span className="sr-only">More</span>
          </TableHead>
        </TableRow>
      </TableHeader>
      <TableBody>
        {letters.map((letter) => (
          <LetterRow
            key={letter.jobId}
            letter={letter}
            chosen={chosen.has(letter.jobId)}
            onChosen={() => onChosen(toggled(chosen, letter.jobId))}
            onOpen={() => onOpen(letter)}
          />
        ))}
      </TableBody>
    </Table>
  );
}

interface LetterRowProps {
  letter: DeadLetter;
  chosen: boolean;
  onChosen: () => void;
  onOpen: () => void;
}

function LetterRow({ chosen, letter, onChosen, onOpen }: LetterRowProps) {
  const { attemptCount, charge, createTime, failure, jobId, model } = letter;
  return (
    <TableRow data-state={chosen ? "selected" : undefined}>
      <TableCell className="pl-0">
        <Checkbox aria-label={`Choose ${jobId}`} checked={chosen} onCheckedChange={onChosen} />
      </TableCell>
      <TableCell className="max-w-96 min-w-48">
        <div className="font-medium">{failure ? failureTitle(failure.reason) : "Not known"}</div>
        <div className="line-clamp-1 text-xs text-muted-foreground" title={failure?.message}>
          {failure?.message}
        </div>
      </TableCell>
      <TableCell className="max-w-64 min-w-40 break-words">{model}</TableCell>
      <TableCell className="whitespace-nowrap">
        <JobLink jobId={jobId} />
        <div className="text-xs text-muted-foreground">
          {attemptCount === 1 ? "1 attempt" : `${attemptCount} attempts`}
        </div>
      </TableCell>
      <TableCell className="whitespace-nowrap">{chargeWord(charge)}</TableCell>
      <TableCell>
        <LetterState letter={letter} />
      </TableCell>
      <TableCell className="whitespace-nowrap tabular-nums">
        {createTime && new Date(timestampMs(createTime)).toLocaleString(undefined, WHEN)}
      </TableCell>
      <TableCell className="pr-0 text-right">
        <Button variant="ghost" size="sm" aria-label={`Details of ${jobId}`} onClick={onOpen}>
          Details
        </Button>
      </TableCell>
    </TableRow>
  );
}

const WHEN: Intl.DateTimeFormatOptions = {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
};

export function LetterState({ letter: { redrivenAs, state } }: { letter: DeadLetter }) {
  const known = STATES.find(({ states }) => states.length === 1 && states[0] === state);
  return (
    <div className="grid justify-items-start gap-1">
      <Badge variant={UNDECIDED.has(state) ? "warning" : "secondary"}>
        {known?.name ?? State[state]}
      </Badge>
      {redrivenAs !== "" && <JobLink jobId={redrivenAs} />}
    </div>
  );
}

function toggled(chosen: ReadonlySet<string>, jobId: string): ReadonlySet<string> {
  const after = new Set(chosen);
  if (!after.delete(jobId)) after.add(jobId);
  return after;
}
