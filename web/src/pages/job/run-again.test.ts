// What is asked for when a job is run once more: the seed and version that ran, or another seed?
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";

import { Attempt_State, AttemptSchema } from "@/gen/mediagen/v1/attempt_pb";
import { JobRequestSchema, JobSchema, type Job } from "@/gen/mediagen/v1/job_pb";
import { exactlyAgain, ranWith, variation } from "@/pages/job/run-again";

const VERSION = "a".repeat(64);
const OTHER = "b".repeat(64);
const end = timestampFromMs(1000);

function jobOf(input: Record<string, number | string>, attempts: Job["attempts"]): Job {
  const request = create(JobRequestSchema, { model: "a/b", prompt: "x", input });
  return create(JobSchema, { request, attempts });
}

const succeeded = create(AttemptSchema, {
  number: 1,
  state: Attempt_State.SUCCEEDED,
  endTime: end,
  seed: 7,
  modelVersion: VERSION,
});
const orphan = create(AttemptSchema, {
  number: 2,
  state: Attempt_State.CANCELED,
  endTime: end,
  seed: 8,
  failure: { message: "left behind" },
  modelVersion: OTHER,
});

describe("an exact rerun", () => {
  it("pins the version and the seed of the call whose result counts", () => {
    const job = jobOf({ megapixels: "1" }, [succeeded, orphan]);
    expect(job.request && exactlyAgain(job, job.request)).toMatchObject({
      model: `a/b:${VERSION}`,
      prompt: "x",
      input: { megapixels: "1", seed: 7 },
    });
  });

  it("keeps a seed that was given, and says that nobody chose it", () => {
    const job = jobOf({ seed: 3 }, [succeeded]);
    expect(ranWith(job)).toEqual({ seed: 3, chosen: false, version: VERSION });
  });

  it("pins nothing where the provider hides its version", () => {
    const hidden = create(AttemptSchema, { ...succeeded, modelVersion: "hidden" });
    const job = jobOf({}, [hidden]);
    expect(job.request && exactlyAgain(job, job.request).model).toBe("a/b");
  });

  it("replaces the version that the request named only by the one that ran", () => {
    const job = jobOf({}, [succeeded]);
    if (job.request) job.request.model = `a/b:${OTHER}`;
    expect(job.request && exactlyAgain(job, job.request).model).toBe(`a/b:${VERSION}`);
  });
});

describe("a variation", () => {
  it("is the same but for the seed", () => {
    const { request } = jobOf({ seed: 3, megapixels: "1" }, [succeeded]);
    expect(request && variation(request)).toMatchObject({
      model: "a/b",
      prompt: "x",
      input: { megapixels: "1" },
    });
    expect(request && variation(request).input).not.toHaveProperty("seed");
  });
});
