// What the job is, how it stands with it, and what can be done.
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";

import { jobPath } from "@/api/urls";
import { Button } from "@/components/ui/button";
import { modelPath } from "@/form/prefill";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { titleOf } from "@/jobs/words";
import { cn } from "@/lib/cn";
import { JobActions } from "@/pages/job/job-actions";
import { StatusLine } from "@/pages/job/status-line";

export function JobHeader({ job }: { job: Job }) {
  const model = job.request?.model ?? "";
  return (
    <header className="grid gap-4">
      <div className="grid gap-2">
        {model !== "" && (
          <p className="text-sm text-muted-foreground">
            <Link
              to={modelPath(model.split(":")[0] ?? model)}
              className="rounded-sm break-all underline-offset-4 hover:text-foreground hover:underline"
            >
              {model.split(":")[0]}
            </Link>
          </p>
        )}
        <Title text={titleOf(job)} />
        <StatusLine job={job} />
        <Relatives job={job} />
      </div>
      <JobActions job={job} />
    </header>
  );
}

/** Three lines of it, and the rest when asked for. */
function Title({ text }: { text: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [all, setAll] = useState(false);
  const [long, setLong] = useState(false);
  useEffect(() => {
    const shown = heading.current;
    if (shown === null) return;
    const observer = new ResizeObserver(() => {
      if (!all) setLong(shown.scrollHeight > shown.clientHeight + 1);
    });
    observer.observe(shown);
    return () => observer.disconnect();
  }, [all, text]);
  return (
    <div className="grid justify-items-start gap-1">
      <h1
        ref={heading}
        className={cn(
          "text-xl leading-snug font-semibold tracking-tight text-pretty break-words sm:text-2xl sm:leading-snug",
          !all && "line-clamp-3",
        )}
      >
        {text}
      </h1>
      {(long || all) && (
        <Button
          variant="link"
          size="sm"
          className="h-auto px-0"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all ? "Less" : "All of it"}
        </Button>
      )}
    </div>
  );
}

/** The same job, made again by an operator. */
function Relatives({ job: { redriveOf, redrivenAs } }: { job: Job }) {
  const links = [
    { words: "Makes a failed job again:", jobId: redriveOf },
    { words: "It was made again as", jobId: redrivenAs },
  ].filter(({ jobId }) => jobId !== "");
  return links.map(({ jobId, words }) => (
    <p key={words} className="text-sm">
      {words}{" "}
      <Link to={jobPath(jobId)} className="font-mono text-xs text-primary hover:underline">
        {jobId}
      </Link>
    </p>
  ));
}
