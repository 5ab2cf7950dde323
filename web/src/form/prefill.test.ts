// What one page writes into the URL of the form, the form reads.
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

import { AttemptSchema } from "@/gen/mediagen/v1/attempt_pb";
import { JobRequestSchema } from "@/gen/mediagen/v1/job_pb";

import {
  artifactReference,
  inputsOf,
  readPrefill,
  remixPath,
  useAsInputPath as asInputPath,
  withoutPrefill,
} from "./prefill";

const paramsOf = (path: string) => new URL(path, "http://page").searchParams;

it("reads the job to take up, and what becomes of its seed", () => {
  expect(readPrefill(paramsOf(remixPath("j1")))).toEqual({
    kind: "remix",
    jobId: "j1",
    seed: "as-given",
  });
  expect(readPrefill(paramsOf(remixPath("j1", "new")))).toMatchObject({ seed: "new" });
});

it("reads the file to use, and the model to use it with", () => {
  const params = paramsOf(asInputPath(artifactReference("j1", 2), "image", "a/b"));
  expect(readPrefill(params)).toEqual({ kind: "input", reference: "artifact:j1/2", to: "image" });
  expect(withoutPrefill(params).toString()).toBe("model=a%2Fb");
});

it("reads nothing where nothing is asked for", () => {
  expect(readPrefill(paramsOf("/?model=a/b"))).toBeUndefined();
});

it("gives the inputs of a job, with the seed as wished", () => {
  const request = create(JobRequestSchema, { prompt: "a fox", input: { seed: 1, steps: 4 } });
  expect(inputsOf(request, [], "as-given")).toEqual({ prompt: "a fox", seed: 1, steps: 4 });
  expect(inputsOf(request, [], "new")).toEqual({ prompt: "a fox", steps: 4 });
});

it("gives the seed that ran, where the service had chosen it", () => {
  const request = create(JobRequestSchema, { prompt: "a fox" });
  const attempts = [create(AttemptSchema, { seed: 5 }), create(AttemptSchema, {})];
  expect(inputsOf(request, attempts, "as-ran")).toEqual({ prompt: "a fox", seed: 5 });
});
