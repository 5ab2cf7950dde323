// A job that is taken up again fills the form; a file goes where it is taken.
import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, it } from "vitest";

import { saveDraft } from "@/form/draft";
import { formOf } from "@/form/form-model";
import { NO_OPTIONS } from "@/form/job-options";
import { PICTURES, SPEECH } from "@/form/schemas.fixture";
import { JobSchema, Priority } from "@/gen/mediagen/v1/job_pb";
import { ModelSchema } from "@/gen/mediagen/v1/model_pb";

import { filled } from "./filled";

const pictures = create(ModelSchema, { name: "a/b", inputSchema: PICTURES });
const file = (to?: string) => ({ kind: "input", reference: "upload:u1", to }) as const;

beforeEach(() => localStorage.clear());

it("has the inputs and the options of the job, and says what is gone", () => {
  const job = create(JobSchema, {
    request: {
      prompt: "a fox",
      input: { guidance: 5, old_input: 1 },
      labels: { team: "films" },
      priority: Priority.HIGH,
      timeout: { seconds: 600n },
    },
  });
  const taken = filled({ kind: "remix", jobId: "j", seed: "as-given" }, "a/b", pictures, job);
  expect(taken.draft).toEqual({
    values: { prompt: "a fox", guidance: 5 },
    options: { labels: "team=films", priority: Priority.HIGH, timeoutMinutes: "10" },
  });
  expect(taken.notice).toContain("old_input");
});

it("puts the file into the field that was named, else the first, and keeps what was typed", () => {
  const form = formOf(PICTURES);
  saveDraft("a/b", form, { values: { prompt: "a fox" }, options: NO_OPTIONS });
  expect(filled(file(), "a/b", pictures, undefined).draft.values).toEqual({
    prompt: "a fox",
    image: "upload:u1",
  });
  expect(filled(file("input_images"), "a/b", pictures, undefined).draft.values).toEqual({
    prompt: "a fox",
    input_images: ["upload:u1"],
  });
});

it("says so where the model takes no file", () => {
  const speech = create(ModelSchema, { name: "a/c", inputSchema: SPEECH });
  expect(filled(file(), "a/c", speech, undefined).notice).toContain("takes no file");
});
