// Why it failed, whether that was charged, and what can be done about it.
import { CircleAlert, Clock } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";

import { jobPath } from "@/api/urls";
import { Alert, AlertDescription, AlertTitle } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { remixPath } from "@/form/prefill";
import type { Failure } from "@/gen/mediagen/v1/failure_pb";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { submitAgain } from "@/jobs/job-calls";
import { RetryDialog } from "@/jobs/retry-dialog";
import { hasSecrets } from "@/jobs/secrets";
import { retryOffer } from "@/jobs/stakes";
import { chargeWord } from "@/jobs/words";
import { useLiveStore } from "@/live/hooks";
import { chargeReason, failureTitle } from "@/pages/job/words";

export function FailureCard({ failure, job }: { failure: Failure; job: Job }) {
  const waits = job.state !== Job_State.FAILED;
  const last = job.attempts.at(-1);
  return (
    <Alert variant={waits ? "warning" : "destructive"} className="gap-y-2 py-4">
      {waits ? <Clock aria-hidden /> : <CircleAlert aria-hidden />}
      <AlertTitle>
        <h2>
          {waits ? "The last attempt failed; it is tried again: " : ""}
          {failureTitle(failure.reason)}
        </h2>
      </AlertTitle>
      <AlertDescription className="gap-2">
        <p className="break-words">{failure.message}</p>
        {failure.fieldViolations.length > 0 && (
          <ul className="list-disc pl-5">
            {failure.fieldViolations.map(({ description, field }) => (
              <li key={`${field} ${description}`} className="break-words">
                <code className="font-mono text-xs">{field}</code> {description}
              </li>
            ))}
          </ul>
        )}
        <p>
          <strong className="font-medium">{chargeWord(job.charge)}.</strong>{" "}
          {last ? chargeReason(last.chargeReason) : "No call was made for it."}
        </p>
        {job.request && <Retry job={job} />}
      </AlertDescription>
    </Alert>
  );
}

function Retry({ job }: { job: Job }) {
  const { again, busy } = useRetry(job);
  const [asking, setAsking] = useState(false);
  const offer = retryOffer(job);
  if (offer === "none") return null;
  if (offer === "change")
    return (
      <Button size="sm" className="mt-1" asChild>
        <Link to={remixPath(job.jobId)}>Change it and try again</Link>
      </Button>
    );
  const asks = offer === "ask first";
  return (
    <>
      <Button
        size="sm"
        className="mt-1"
        disabled={busy}
        onClick={() => (asks ? setAsking(true) : void again())}
      >
        {asks ? "Try again…" : "Try again"}
      </Button>
      {asking && <RetryDialog job={job} onClose={() => setAsking(false)} onConfirm={again} />}
    </>
  );
}

/** Submits it again, and goes there; or to the form, where there are secrets to be typed again. */
function useRetry(job: Job): { busy: boolean; again: () => Promise<void> } {
  const [busy, setBusy] = useState(false);
  const store = useLiveStore();
  const navigate = useNavigate();
  const again = async (): Promise<void> => {
    if (hasSecrets(job)) {
      await navigate(remixPath(job.jobId));
      return;
    }
    setBusy(true);
    const made = await submitAgain(job, store);
    setBusy(false);
    if (made) await navigate(jobPath(made.jobId));
  };
  return { busy, again };
}
