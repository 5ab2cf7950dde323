// The form that a schema makes: which field for which input, and what is seen first.
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { formOf } from "./form-model";
import { PICTURES, SPEECH } from "./schemas.fixture";

const form = formOf(PICTURES);

function kindOf(schema: JsonObject, name = "field") {
  return formOf({ properties: { prompt: { type: "string" }, [name]: schema } }).byName.get(name);
}

describe("the fields", () => {
  it.each([
    ["prompt", "text"],
    ["seed", "seed"],
    ["aspect_ratio", "ratio"],
    ["num_outputs", "number"],
    ["image", "files"],
    ["input_images", "files"],
    ["output_format", "choice"],
    ["go_fast", "switch"],
    ["api_token", "secret"],
    ["extra", "json"],
    ["tags", "lines"],
  ])("%s is a field for %s", (name, kind) => {
    expect(form.byName.get(name)).toMatchObject({ kind });
  });

  it("are segments where there are few short choices, else a list", () => {
    expect(kindOf({ enum: ["webp", "jpg", "png"], default: "webp" })).toMatchObject({
      look: "segments",
    });
    expect(kindOf({ enum: ["a", "b", "c", "d", "e"] })).toMatchObject({ look: "list" });
    expect(kindOf({ enum: ["block_low_and_above", "block_only_high"] })).toMatchObject({
      look: "list",
    });
  });

  it("are shapes where the choices are, with words among them", () => {
    expect(kindOf({ enum: ["match_input_image", "1:1", "3:2"] })?.kind).toBe("ratio");
    expect(kindOf({ enum: ["1024x1024", "1365x1024"] })?.kind).toBe("ratio");
    expect(kindOf({ enum: ["1K", "2K", "custom"] })?.kind).toBe("choice");
  });

  it("say what a file picker offers", () => {
    expect(kindOf({ type: "string", format: "uri" }, "voice")).toMatchObject({ accept: "audio/*" });
    expect(kindOf({ type: "string", format: "uri" }, "file")).toMatchObject({ accept: "" });
    expect(form.byName.get("input_images")).toMatchObject({ many: true, most: 3 });
  });
});

describe("what is seen first", () => {
  it("is the prompt, then files, shapes, sizes and the count", () => {
    expect(form.prompt?.name).toBe("prompt");
    expect(form.main.map(({ name }) => name)).toEqual([
      "image",
      "input_images",
      "aspect_ratio",
      "width",
      "num_outputs",
    ]);
  });

  it("leaves the rest folded, in the model's order", () => {
    expect(form.more.map(({ name }) => name)).toEqual([
      "seed",
      "output_format",
      "guidance",
      "go_fast",
      "negative_prompt",
      "lora_scale",
      "api_token",
      "extra",
      "tags",
    ]);
  });

  it("is the required text of a model without a prompt; one field more is not folded", () => {
    const speech = formOf(SPEECH);
    expect(speech.prompt).toMatchObject({ name: "text", long: true });
    expect(speech.main.map(({ name }) => name)).toEqual(["voice_id"]);
    expect(speech.more).toEqual([]);
  });

  it("joins width and height, which count with a custom shape only", () => {
    expect(form.main.find(({ kind }) => kind === "size")).toMatchObject({
      onlyWith: { name: "aspect_ratio", value: "custom" },
    });
  });
});
