// Jobs for tests: as the API tells them, with what a test does not care about filled in.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import { WatchJobsResponseSchema } from "@/gen/mediagen/v1/generation_service_pb";
import { Job_State, JobSchema, type Job } from "@/gen/mediagen/v1/job_pb";
import type { News } from "@/live/live-state";

export const NOON = Date.UTC(2026, 10, 23, 12);

/** What a test says of a job. */
export type JobInit = Exclude<MessageInitShape<typeof JobSchema>, Job>;

/** A whole job; waiting, unless it says otherwise. */
export function aJob(init: (JobInit & { jobId: string }) | Job): Job {
  return create(JobSchema, {
    state: Job_State.PENDING,
    revision: 1,
    createTime: timestampFromMs(NOON),
    request: { model: "black-forest-labs/flux-schnell", prompt: `the prompt of ${init.jobId}` },
    ...(init as JobInit),
  });
}

/** The job as updates tell it. */
export function bare(job: Job): Job {
  return { ...job, request: undefined };
}

type Event = MessageInitShape<typeof WatchJobsResponseSchema>["event"];

/** A message of the stream. */
export function message(event: Event, cursor = ""): News {
  return { kind: "message", message: create(WatchJobsResponseSchema, { event, cursor }) };
}
