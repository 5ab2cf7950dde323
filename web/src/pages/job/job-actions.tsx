// What can be done with a job: make more of it, share it, keep it, stop it.
import { Ban, Download, Link2, Repeat, Shuffle, SquarePen } from "lucide-react";
import type { ReactElement } from "react";
import { Link, useNavigate } from "react-router";

import { jobPath } from "@/api/urls";
import { useShortcut } from "@/app/shortcuts";
import { Button } from "@/components/ui/button";
import { Tooltip, TooltipContent, TooltipTrigger } from "@/components/ui/tooltip";
import { remixPath } from "@/form/prefill";
import type { Job, JobRequest } from "@/gen/mediagen/v1/job_pb";
import { useJobActions } from "@/jobs/job-actions";
import { downloadAll } from "@/jobs/job-calls";
import { downloadable, pageUrl } from "@/jobs/media";
import { hasSecrets } from "@/jobs/secrets";
import { isCancelable } from "@/jobs/stakes";
import { isFinal } from "@/live/job-order";
import { CopyButton } from "@/pages/job/copy-button";
import { exactlyAgain, ranWith, variation } from "@/pages/job/run-again";
import { takesSeed, useModel } from "@/pages/job/use-model";
import { useSubmit } from "@/pages/job/use-submit";

export function JobActions({ job }: { job: Job }) {
  const { cancel } = useJobActions();
  const files = downloadable([job]);
  return (
    <div className="flex flex-wrap items-center gap-2">
      {isCancelable(job) && (
        <Button variant="outline" onClick={() => cancel([job])}>
          <Ban aria-hidden />
          Cancel
        </Button>
      )}
      <Button variant={isFinal(job) ? "default" : "secondary"} asChild>
        <Link to={remixPath(job.jobId)}>
          <SquarePen aria-hidden />
          Remix
        </Link>
      </Button>
      {job.request && <RunAgain job={job} request={job.request} />}
      <CopyButton
        text={pageUrl(jobPath(job.jobId))}
        variant="secondary"
        size="default"
        icon={<Link2 aria-hidden />}
      >
        Copy link
      </CopyButton>
      {files.length > 1 && (
        <Button variant="secondary" onClick={() => void downloadAll([job])}>
          <Download aria-hidden />
          Download all
        </Button>
      )}
    </div>
  );
}

function RunAgain({ job, request }: { job: Job; request: JobRequest }) {
  const { busy, send } = useSubmit();
  const navigate = useNavigate();
  const takes = takesSeed(useModel(job));
  const { seed } = ranWith(job);
  const seeded = takes !== false || seed !== undefined;
  const secret = hasSecrets(job);
  const vary = (): void => {
    if (secret) void navigate(remixPath(job.jobId, "new"));
    else void send(variation(request));
  };
  const rerun = (): void => {
    if (secret) void navigate(remixPath(job.jobId, "as-ran"));
    else void send(exactlyAgain(job, request));
  };
  const label = seeded ? "Vary: another seed" : "Run again";
  useShortcut({ keys: "v", label, group: "This page", run: vary });
  return (
    <>
      <Explained words={`${seeded ? VARY : RUN_AGAIN} ${secret ? FORM : PAID}`}>
        <Button variant="secondary" disabled={busy} onClick={vary}>
          {seeded ? <Shuffle aria-hidden /> : <Repeat aria-hidden />}
          {seeded ? "Vary" : "Run again"}
        </Button>
      </Explained>
      {isFinal(job) && (takes === true || seed !== undefined) && (
        <Explained words={`${rerunWords(job)} ${secret ? FORM : PAID}`}>
          <Button variant="secondary" disabled={busy} onClick={rerun}>
            <Repeat aria-hidden />
            Rerun exactly
          </Button>
        </Explained>
      )}
    </>
  );
}

const VARY = "The same inputs with another seed.";
const RUN_AGAIN = "The same inputs once more.";
const PAID = "It is a new job that is paid for.";
const FORM = "The form opens: what is secret has to be typed again.";

function rerunWords(job: Job): string {
  const { seed, version } = ranWith(job);
  const seeded = seed === undefined ? "without a seed, since none is known" : `with seed ${seed}`;
  const pinned =
    version === undefined ? "the model as it is now" : `version ${version.slice(0, 8)}`;
  return `The same inputs ${seeded}, on ${pinned}.`;
}

function Explained({ children, words }: { words: string; children: ReactElement }) {
  return (
    <Tooltip>
      <TooltipTrigger asChild>{children}</TooltipTrigger>
      <TooltipContent>{words}</TooltipContent>
    </Tooltip>
  );
}
