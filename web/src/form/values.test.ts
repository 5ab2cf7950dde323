// What a filled form asks for: what was changed, and nothing else.
import { describe, expect, it } from "vitest";

import { formOf } from "./form-model";
import { PICTURES, SPEECH } from "./schemas.fixture";
import { missing, requested, shown, taken, withValue, type Values } from "./values";

const form = formOf(PICTURES);

function inputOf(values: Values) {
  return requested(form, { prompt: "a fox", ...values }).input;
}

describe("what is sent", () => {
  it("is the prompt in its own place, and no defaults", () => {
    const values = { prompt: "a fox", aspect_ratio: "1:1", num_outputs: 1, go_fast: true };
    expect(requested(form, values)).toEqual({ prompt: "a fox", input: {} });
  });

  it("is what was changed", () => {
    expect(inputOf({ aspect_ratio: "16:9", guidance: 0, go_fast: false })).toEqual({
      aspect_ratio: "16:9",
      guidance: 0,
      go_fast: false,
    });
  });

  it("is a text of another name among the inputs", () => {
    expect(requested(formOf(SPEECH), { text: "Hello" })).toEqual({
      prompt: "",
      input: { text: "Hello" },
    });
  });

  it("is a seed only while it is locked", () => {
    const locked = withValue({}, "seed", 7);
    expect(inputOf(locked)).toEqual({ seed: 7 });
    expect(inputOf(withValue(locked, "seed", undefined))).toEqual({});
  });

  it("is a width only with a custom shape", () => {
    expect(inputOf({ width: 512 })).toEqual({});
    expect(inputOf({ width: 512, aspect_ratio: "custom" })).toEqual({
      width: 512,
      aspect_ratio: "custom",
    });
  });

  it("is an empty text where the model has another one by default", () => {
    expect(inputOf({ negative_prompt: "" })).toEqual({ negative_prompt: "" });
    expect(inputOf({ image: "", tags: [] })).toEqual({});
  });

  it("is nothing where nothing was chosen over a default", () => {
    expect(inputOf({ lora_scale: null })).toEqual({ lora_scale: null });
  });
});

describe("what is missing", () => {
  it("is a prompt that is needed", () => {
    expect(missing(form, { prompt: "  " })).toEqual([
      { field: "input.prompt", description: "is needed" },
    ]);
  });

  it("is JSON that can not be read", () => {
    expect(missing(form, { prompt: "a", extra: "{" })).toMatchObject([{ field: "input.extra" }]);
    expect(missing(form, { prompt: "a", extra: { a: 1 } })).toEqual([]);
  });
});

it("has nothing in an input that is called as something of every object", () => {
  const text = { type: "string", default: "usual" };
  const odd = formOf({
    properties: {
      constructor: text,
      toString: text,
      ["__proto__"]: text,
      prompt: { type: "string" },
    },
    required: ["constructor"],
  });
  expect([...odd.byName.keys()]).toEqual(["__proto__", "constructor", "prompt", "toString"]);
  const untouched = { prompt: "a" };
  expect(requested(odd, untouched)).toEqual({ prompt: "a", input: {} });
  expect(missing(odd, untouched)).toEqual([]);
  for (const [name, field] of odd.byName) {
    if (name === "prompt") continue;
    expect(shown(field, untouched)).toBe("usual");
    const touched = withValue(untouched, name, "mine");
    const { input } = requested(odd, touched);
    expect(Object.entries(input)).toEqual([[name, "mine"]]);
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
    expect(Object.entries(taken(odd, input))).toEqual([[name, "mine"]]);
    expect(Object.keys(withValue(touched, name, undefined))).toEqual(["prompt"]);
  }
});

it("takes from a job what the form has fields for", () => {
  expect(taken(form, { prompt: "a", seed: 3, gone: true })).toEqual({ prompt: "a", seed: 3 });
});
