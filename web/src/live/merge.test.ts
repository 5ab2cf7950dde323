// What is added to a final job comes without a new revision, and must stay.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";

import { AttemptSchema, Charge } from "@/gen/mediagen/v1/attempt_pb";
import { ArtifactSchema, Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { merge } from "@/live/merge";
import { aJob, NOON } from "@/testing/jobs";

const over = aJob({ jobId: "a", state: Job_State.FAILED, revision: 4 });
const ADDITIONS: [string, Partial<Job>][] = [
  ["the job that makes it again", { redrivenAs: "b" }],
  [
    "a deleted artifact",
    { artifacts: [create(ArtifactSchema, { deleteTime: timestampFromMs(NOON) })] },
  ],
  ["what a late answer said", { attempts: [create(AttemptSchema, { charge: Charge.YES })] }],
];

it.each(ADDITIONS)("%s is kept, whichever was told first", (_, addition) => {
  const before = aJob({ ...over, ...withAnOpen(addition) });
  const after = { ...over, ...addition };
  expect(merge(before, after)).toEqual(after);
  expect(merge(after, before)).toBe(after);
});

/** The same before it was added. */
function withAnOpen(addition: Partial<Job>): Partial<Job> {
  if (addition.artifacts) return { artifacts: [create(ArtifactSchema)] };
  if (addition.attempts) return { attempts: [create(AttemptSchema, { charge: Charge.UNKNOWN })] };
  return {};
}

it("a lower revision with more additions changes nothing", () => {
  const lower = aJob({ ...over, revision: 3, redrivenAs: "b" });
  expect(merge(over, lower)).toBe(over);
});
