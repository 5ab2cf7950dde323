// A job, with all that is known of it.
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";

import type { Job } from "@/gen/mediagen/v1/job_pb";
import { textOutput } from "@/jobs/media";
import { CommandsCard } from "@/pages/job/commands-card";
import { FailureCard } from "@/pages/job/failure-card";
import { InputsCard } from "@/pages/job/inputs-card";
import { JobHeader } from "@/pages/job/job-header";
import { LabelsCard } from "@/pages/job/labels-card";
import { LogsCard } from "@/pages/job/logs-card";
import { ResultPlace } from "@/pages/job/result-place";
import { CostCard, RunCard } from "@/pages/job/run-card";
import { TimelineCard } from "@/pages/job/timeline-card";
import { Text } from "@/pages/job/viewer/text-file";
import { Viewer } from "@/pages/job/viewer/viewer";

export function JobView({ job }: { job: Job }) {
  const { failure, logTail, request } = job;
  const labels = request?.labels ?? {};
  return (
    <div className="mx-auto grid w-full max-w-screen-2xl gap-6 px-4 py-6 sm:px-6">
      <JobHeader job={job} />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem] xl:grid-cols-[minmax(0,1fr)_26rem]">
        <div className="grid min-w-0 gap-6">
          {failure && <FailureCard failure={failure} job={job} />}
          <Results job={job} />
          {logTail !== "" && <LogsCard text={logTail} />}
          <TimelineCard job={job} />
        </div>
        <div className="grid min-w-0 gap-4">
          {request && <InputsCard request={request} />}
          <RunCard job={job} />
          <CostCard job={job} />
          {Object.keys(labels).length > 0 && <LabelsCard labels={labels} />}
        </div>
      </div>
      {request && <CommandsCard request={request} />}
    </div>
  );
}

function Results({ job }: { job: Job }) {
  const text = outputText(job);
  return (
    <>
      {job.artifacts.length > 0 ? <Viewer job={job} /> : <ResultPlace job={job} />}
      {text !== undefined && <Text text={text} name="What the model returned" />}
    </>
  );
}

/** Beside files, or in place of them. */
function outputText(job: Job): string | undefined {
  if (job.output === undefined) return undefined;
  return textOutput(job) ?? JSON.stringify(toJson(ValueSchema, job.output), null, 2);
}
