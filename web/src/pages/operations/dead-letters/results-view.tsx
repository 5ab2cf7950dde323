// What became of the dead letters that were decided about?
import { CircleAlert, CircleCheck } from "lucide-react";

import {
  DeadLetterResult_Outcome as Outcome,
  type DeadLetterResult,
} from "@/gen/mediagen/v1/operator_service_pb";
import type { DecisionKind } from "@/pages/operations/dead-letters/decision";
import { JobLink } from "@/pages/operations/dead-letters/job-links";

const DONE: ReadonlySet<Outcome> = new Set([Outcome.DONE, Outcome.ALREADY_DONE]);

interface ResultsViewProps {
  kind: DecisionKind;
  results: readonly DeadLetterResult[];
}

export function ResultsView({ kind, results }: ResultsViewProps) {
  const done = results.filter(({ outcome }) => DONE.has(outcome)).length;
  return (
    <div className="grid gap-3 text-sm">
      <p role="status">
        {done} of {results.length} {kind === "redrive" ? "made again." : "discarded."}
      </p>
      <ul className="grid max-h-64 scroll-slim gap-2 overflow-y-auto">
        {results.map((result) => (
          <Result key={result.jobId} result={result} />
        ))}
      </ul>
    </div>
  );
}

function Result({ result: { jobId, message, outcome, redrivenAs } }: { result: DeadLetterResult }) {
  return (
    <li className="grid grid-cols-[auto_1fr] gap-x-2">
      {DONE.has(outcome) ? (
        <CircleCheck className="size-4 text-success" role="img" aria-label="Done" />
      ) : (
        <CircleAlert className="size-4 text-destructive" role="img" aria-label="Refused" />
      )}
      <span className="min-w-0 break-words">
        <JobLink jobId={jobId} />
        {redrivenAs !== "" && redrivenAs !== jobId && (
          <>
            {" "}
            as <JobLink jobId={redrivenAs} />
          </>
        )}
        {message !== "" && <span className="block text-muted-foreground">{message}</span>}
      </span>
    </li>
  );
}
