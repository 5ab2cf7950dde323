// Is what happened told in order, each thing once, with the times that are known?
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";

import { Attempt_State, AttemptSchema } from "@/gen/mediagen/v1/attempt_pb";
import {
  ArtifactSchema,
  Job_Stage,
  Job_State,
  JobSchema,
  type Job,
} from "@/gen/mediagen/v1/job_pb";
import { revisionOf, timelineOf, type Entry } from "@/pages/job/timeline";

const at = (ms: number) => timestampFromMs(1_000_000 + ms);

type Said = Exclude<MessageInitShape<typeof JobSchema>, Job>;

function jobOf(init: Said): Job {
  return create(JobSchema, {
    jobId: "a",
    revision: 1,
    createTime: at(0),
    updateTime: at(0),
    ...init,
  });
}

const attempt = (number: number, from: number, state: Attempt_State) =>
  create(AttemptSchema, {
    number,
    state,
    createTime: at(from),
    submitTime: at(from + 10),
    endTime: at(from + 20),
  });

const told = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => {
    if (entry.kind === "stage") return Job_Stage[entry.stage];
    if (entry.kind === "saved") return `saved ${entry.artifact.index}`;
    return "attempt" in entry ? `${entry.kind} ${entry.attempt.number}` : entry.kind;
  });

describe("the timeline of a job", () => {
  it("is told by its own fields where no revision was seen", () => {
    const job = jobOf({
      state: Job_State.COMPLETED,
      startTime: at(5),
      endTime: at(200),
      attempts: [attempt(1, 10, Attempt_State.FAILED), attempt(2, 100, Attempt_State.SUCCEEDED)],
      artifacts: [create(ArtifactSchema, { index: 0 }), create(ArtifactSchema, { index: 1 })],
    });
    const entries = timelineOf(job, []);
    expect(told(entries)).toEqual([
      "accepted",
      "taken",
      "permitted 1",
      "sent 1",
      "attempt-ended 1",
      "permitted 2",
      "sent 2",
      "attempt-ended 2",
      "saved 0",
      "saved 1",
      "ended",
    ]);
    const saved = entries.filter(({ kind }) => kind === "saved");
    expect(saved.map(({ timeMs }) => timeMs)).toEqual([undefined, undefined]);
    expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
  });

  it("tells stages, retries and stored results by the revisions that were seen", () => {
    const artifacts = [create(ArtifactSchema, { index: 0 })];
    const last = jobOf({
      revision: 6,
      state: Job_State.COMPLETED,
      updateTime: at(60),
      endTime: at(60),
      attempts: [attempt(1, 12, Attempt_State.SUCCEEDED)],
      artifacts,
    });
    const running = { state: Job_State.RUNNING };
    const seen = [
      jobOf({}),
      jobOf({ ...running, revision: 2, updateTime: at(11), stage: Job_Stage.SUBMITTING }),
      jobOf({ ...running, revision: 3, updateTime: at(30), stage: Job_Stage.PROCESSING }),
      jobOf({ ...running, revision: 4, updateTime: at(32), stage: Job_Stage.SAVING }),
      jobOf({ ...running, revision: 5, updateTime: at(50), stage: Job_Stage.SAVING, artifacts }),
      last,
    ];
    const entries = timelineOf(last, seen.map(revisionOf));
    expect(told(entries)).toEqual([
      "accepted",
      "permitted 1",
      "sent 1",
      "PROCESSING",
      "attempt-ended 1",
      "SAVING",
      "saved 0",
      "ended",
    ]);
    expect(entries.find(({ kind }) => kind === "saved")?.timeMs).toBe(1_000_050);
  });

  it("gives no time to a result that was there when the page was opened", () => {
    const artifacts = [create(ArtifactSchema, { index: 0 })];
    const job = jobOf({ revision: 5, stage: Job_Stage.SAVING, updateTime: at(50), artifacts });
    const saved = timelineOf(job, [revisionOf(job)]).find(({ kind }) => kind === "saved");
    expect(saved?.timeMs).toBeUndefined();
  });

  it("says once that a retry waits, and until when", () => {
    const waiting = { revision: 3, updateTime: at(30), nextAttemptTime: at(2000) };
    const seen = [jobOf({ revision: 2 }), jobOf(waiting), jobOf({ ...waiting, revision: 4 })];
    const retries = timelineOf(jobOf({ revision: 4 }), seen.map(revisionOf)).filter(
      ({ kind }) => kind === "retry",
    );
    expect(retries).toMatchObject([{ dueMs: 1_002_000, timeMs: 1_000_030 }]);
  });
});
