// Which jobs does a list show? The same that ListJobs gives for the same filter.
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";

import type { ListJobsRequestSchema } from "@/gen/mediagen/v1/generation_service_pb";
import type { Job, Job_State } from "@/gen/mediagen/v1/job_pb";

import { millisOf } from "@/live/job-order";

/** All must hold; what is left out lets everything through. */
export interface JobFilter {
  states?: readonly Job_State[];
  /** As submitted: "owner/name". */
  model?: string;
  /** Each as "key=value". */
  labels?: readonly string[];
  /** Accepted at this time or later, in milliseconds since 1970. */
  since?: number;
  /** In the prompt, or in the title of a job that has none, in any case. */
  text?: string;
}

export function matches(job: Job, filter: JobFilter): boolean {
  const { states = [], model = "", labels = [], since = 0, text = "" } = filter;
  const { request } = job;
  return (
    (states.length === 0 || states.includes(job.state)) &&
    (model === "" || request?.model === model) &&
    labels.every((label) => hasLabel(request?.labels ?? {}, label)) &&
    millisOf(job.createTime) >= since &&
    (text === "" || searched(request).toLowerCase().includes(text.toLowerCase()))
  );
}

function searched(request: Job["request"]): string {
  const { prompt = "", title = "" } = request ?? {};
  return prompt === "" ? title : prompt;
}

function hasLabel(labels: Readonly<Record<string, string>>, label: string): boolean {
  const end = label.indexOf("=");
  return labels[label.slice(0, end)] === label.slice(end + 1);
}

/** The filter as ListJobs takes it. */
export function listRequest(filter: JobFilter): MessageInitShape<typeof ListJobsRequestSchema> {
  const { states = [], model = "", labels = [], since = 0, text = "" } = filter;
  return {
    states: [...states],
    model,
    labels: [...labels],
    promptContains: text,
    ...(since > 0 && { createTimeFrom: timestampFromMs(since) }),
  };
}
