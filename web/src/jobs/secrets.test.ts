// What is told to nobody stands nowhere: neither among inputs nor in what a job is called.
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

import { inputsOf } from "@/form/prefill";
import { JobRequestSchema } from "@/gen/mediagen/v1/job_pb";
import { hasSecrets, openInput, secretsOf } from "@/jobs/secrets";
import { titleOf } from "@/jobs/words";
import { aJob } from "@/testing/jobs";

const STARS = "**********";
const request = create(JobRequestSchema, {
  model: "tests/speaker",
  title: "good morning",
  input: { api_key: STARS, text: "good morning" },
  secretInputs: ["api_key", "other_key"],
});

it("are those that were given", () => {
  expect(secretsOf(request)).toEqual(["api_key"]);
  expect(hasSecrets(aJob({ jobId: "a", request }))).toBe(true);
  expect(hasSecrets(aJob({ jobId: "a" }))).toBe(false);
});

it("are left out of what is asked for again", () => {
  expect(openInput(request)).toEqual({ text: "good morning" });
  expect(inputsOf(request, [], "as-given")).toEqual({ text: "good morning" });
});

it("are no title, a prompt neither", () => {
  expect(titleOf(aJob({ jobId: "a", request }))).toBe("good morning");
  const prompt = { ...request, title: "", input: { prompt: STARS }, secretInputs: ["prompt"] };
  expect(titleOf(aJob({ jobId: "a", request: prompt }))).toBe("speaker");
});
