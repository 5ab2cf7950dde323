import { expect, test } from "vitest";

import { takesFiles } from "./takes-files";

const file = { type: "string", format: "uri" };
const schemaOf = (properties: Record<string, object>) =>
  ({ type: "object", properties }) as Parameters<typeof takesFiles>[0];

test("a picture goes where a picture is taken, alone or in a list, and a sound does not", () => {
  for (const taker of [
    schemaOf({ input_image: file }),
    schemaOf({ style_reference_images: { type: "array", items: file } }),
    schemaOf({ prompt: { type: "string" }, mask: { anyOf: [file, { type: "null" }] } }),
  ]) {
    expect(takesFiles(taker, "image/webp")).toBe(true);
    expect(takesFiles(taker, "audio/mpeg")).toBe(false);
  }
});

test("an input whose name says no kind, or two, takes any file", () => {
  expect(takesFiles(schemaOf({ source: file }), "audio/mpeg")).toBe(true);
  expect(takesFiles(schemaOf({ image_or_video: file }), "video/mp4")).toBe(true);
});

test("a model without files takes none", () => {
  expect(takesFiles(schemaOf({ image_count: { type: "integer" } }), "image/webp")).toBe(false);
  expect(takesFiles({}, "image/webp")).toBe(false);
});
