// The server's violations find their fields; those without one are told in whole.
import { expect, it } from "vitest";

import { placed, told, withoutField } from "./field-problems";
import { formOf } from "./form-model";
import { PICTURES, SPEECH } from "./schemas.fixture";

const form = formOf(PICTURES);
const at = (field: string, description = "is wrong") => placed([{ field, description }], form);

it.each([
  ["input.aspect_ratio", "aspect_ratio", undefined],
  ["input.input_images[1]", "input_images", 1],
  ["input.extra.deep.key", "extra", undefined],
  ["prompt", "prompt", undefined],
  ["input.prompt", "prompt", undefined],
  ["model", "job.model", undefined],
  ["labels[colour]", "job.labels", undefined],
  ["timeout", "job.timeout", undefined],
])("%s is a problem of %s", (path, name, index) => {
  expect(at(path).fields).toEqual([{ name, index, description: "is wrong" }]);
});

it("tells those that no field is there for", () => {
  expect(at("input.foo", "is not an input of the model").others).toEqual([
    "foo: is not an input of the model",
  ]);
  expect(at("input", "is too large").others).toEqual(["Is too large"]);
  expect(at("", "give a prompt").others).toEqual(["Give a prompt"]);
});

it("takes the request's rule on prompts for the text that the model has", () => {
  const speech = formOf(SPEECH);
  const { fields } = placed([{ field: "prompt", description: "give a prompt" }], speech);
  expect(fields).toMatchObject([{ name: "text" }]);
});

it("says the item of a list from one", () => {
  const [problem] = at("input.input_images[1]", "must be a file").fields;
  expect(problem && told(problem, form)).toBe("Input images 2: must be a file");
});

it("forgets what was wrong with a field that was touched", () => {
  const problems = at("input.seed");
  expect(withoutField(problems, "seed").fields).toEqual([]);
  expect(withoutField(problems, "width")).toBe(problems);
});
