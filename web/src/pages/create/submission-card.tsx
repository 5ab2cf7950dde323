// A job that was asked for and that the service has not answered for.
import { CircleAlert, CloudOff, RotateCw, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Progress } from "@/components/ui/progress";
import { discard, resubmit, type Submission } from "@/form/submissions";
import { CAPTION_HEIGHT } from "@/jobs/job-card";
import { shortModel } from "@/jobs/words";
import { useLiveStore } from "@/live/hooks";

export function SubmissionCard({ submission }: { submission: Submission }) {
  const { request, state } = submission;
  const title = titleOf(submission);
  return (
    <div data-slot="submission" data-state={state} className="flex h-full flex-col">
      <div className="grid min-h-0 flex-1 place-content-center justify-items-center gap-2 overflow-hidden rounded-xl bg-secondary/60 p-4 text-center text-sm">
        {state === "sending" ? <Sending /> : <NotSent submission={submission} />}
      </div>
      <div
        className="flex shrink-0 flex-col justify-center px-0.5"
        style={{ height: CAPTION_HEIGHT }}
      >
        <p className="truncate text-[0.8125rem] leading-5" title={title}>
          {title}
        </p>
        <p className="truncate text-xs leading-4 text-muted-foreground">
          {shortModel(request.model)}
        </p>
      </div>
    </div>
  );
}

/** As the service will call it, or nearly so. */
function titleOf({ request, secret }: Submission): string {
  const texts = Object.values(request.input ?? {}).filter((value) => typeof value === "string");
  const [text = ""] = secret ? [] : texts;
  return request.prompt || text || shortModel(request.model);
}

function Sending() {
  return (
    <>
      <p className="text-muted-foreground">Submitting</p>
      <Progress value={null} aria-label="Submitting" className="w-24" />
    </>
  );
}

function NotSent({ submission }: { submission: Submission }) {
  const store = useLiveStore();
  const { state, problem } = submission;
  const refused = state === "refused";
  const again = () =>
    void resubmit(submission).then((job) => {
      if (job !== undefined) store.absorb([job]);
    });
  return (
    <>
      {refused ? (
        <CircleAlert aria-hidden className="size-5 text-destructive" />
      ) : (
        <CloudOff aria-hidden className="size-5 text-warning" />
      )}
      <p className="font-medium">{refused ? "Refused" : "No answer"}</p>
      <p className="line-clamp-3 text-xs text-pretty text-muted-foreground">
        {refused ? wordsFor(submission) : (problem?.message ?? UNKNOWN)}
      </p>
      <div className="flex gap-1.5 pt-1">
        {!refused && (
          <Button size="sm" variant="secondary" title="It makes no second job" onClick={again}>
            <RotateCw aria-hidden />
            Send again
          </Button>
        )}
        <Button size="sm" variant="ghost" onClick={() => discard(submission)}>
          <X aria-hidden />
          Forget
        </Button>
      </div>
    </>
  );
}

const UNKNOWN = "The page was left before the service had answered.";

function wordsFor({ problem }: Submission): string {
  const [first] = problem?.violations ?? [];
  return first === undefined ? (problem?.message ?? "") : `${first.field}: ${first.description}`;
}
