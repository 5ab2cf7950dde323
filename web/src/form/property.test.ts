// Whichever of JSON Schema's ways a model's schema takes, an input is read the same.
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { readProperties, readProperty, titleOf } from "./property";

function read(schema: JsonObject) {
  return readProperty("field", schema, false);
}

describe("what an input may be", () => {
  const ways: [string, JsonObject][] = [
    ["enum", { type: "string", enum: ["a", "b"] }],
    ["an allOf of one", { allOf: [{ type: "string", enum: ["a", "b"] }], default: "a" }],
    ["an anyOf of constants", { anyOf: [{ const: "a" }, { const: "b" }] }],
    ["an enum without its type", { enum: ["a", "b"] }],
  ];
  it.each(ways)("is a choice, said by %s", (_way, schema) => {
    expect(read(schema)).toMatchObject({ choices: ["a", "b"], types: ["string"], nullable: false });
  });

  const nullable: [string, JsonObject][] = [
    ["a list of types", { type: ["integer", "null"], minimum: 1 }],
    ["an anyOf with null", { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] }],
  ];
  it.each(nullable)("is nothing, too, said by %s", (_way, schema) => {
    expect(read(schema)).toMatchObject({ types: ["integer"], nullable: true, minimum: 1 });
  });

  it("keeps null out of the choices", () => {
    expect(read({ type: ["string", "null"], enum: ["a", null] })).toMatchObject({
      choices: ["a"],
      nullable: true,
    });
  });

  it("is several types where the schema says so", () => {
    expect(read({ anyOf: [{ type: "string" }, { type: "array" }] }).types).toEqual([
      "string",
      "array",
    ]);
  });
});

describe("the order", () => {
  it("is x-order, and then the names", () => {
    const properties = { b: {}, a: {}, z: { "x-order": 0 }, y: { "x-order": 1 } };
    expect(readProperties({ properties }).map(({ name }) => name)).toEqual(["z", "y", "a", "b"]);
  });

  it("is nothing for a schema that says nothing", () => {
    expect(readProperties({})).toEqual([]);
  });
});

describe("the words", () => {
  it.each([
    ["num_inference_steps", "Number of inference steps"],
    ["aspect_ratio", "Aspect ratio"],
    ["disableNsfwFilter", "Disable NSFW filter"],
    ["prompt", "Prompt"],
  ])("for %s are %s", (name, title) => expect(titleOf(name)).toBe(title));

  it("leave out an explanation that only repeats the name", () => {
    expect(readProperty("aspect_ratio", { description: "Aspect ratio." }, false).description).toBe(
      "",
    );
    expect(readProperty("ratio", { description: "Width to height" }, false).description).toBe(
      "Width to height",
    );
  });
});
