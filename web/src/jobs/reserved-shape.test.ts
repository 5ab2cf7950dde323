// The room for a result is kept as early as its shape can be known.
import { expect, it } from "vitest";

import { Model_OutputKind } from "@/gen/mediagen/v1/model_pb";
import { reservedShape } from "@/jobs/reserved-shape";
import { aJob, type JobInit } from "@/testing/jobs";

const asked = (input: Record<string, string | number>, defaults = {}): JobInit => ({
  request: { model: "a/b", prompt: "p", input, defaults },
});

it.each<[string, JobInit, number]>([
  ["of the picture", { artifacts: [{ width: 300, height: 200, mediaType: "image/png" }] }, 1.5],
  [
    "of its preview, where its own is not known",
    { artifacts: [{ mediaType: "image/avif", preview: { width: 512, height: 256 } }] },
    2,
  ],
  ["of a sound, a card", { artifacts: [{ mediaType: "audio/mpeg" }] }, 4 / 3],
  ["as asked for by ratio", asked({ aspect_ratio: "16:9" }), 16 / 9],
  ["as asked for in pixels", asked({ width: 640, height: 480 }), 4 / 3],
  ["as asked for by size", asked({ size: "1024x1536" }), 2 / 3],
  [
    "the ratio before pixels that do not count then",
    asked({ aspect_ratio: "1:1", width: 9, height: 3 }),
    1,
  ],
  ["pixels where the ratio is a word", asked({ aspect_ratio: "custom", width: 9, height: 3 }), 3],
  ["what the model takes", asked({}, { aspect_ratio: "3:2" }), 1.5],
  [
    "what was asked for before what the model takes",
    asked({ aspect_ratio: "2:1" }, { aspect_ratio: "3:2" }),
    2,
  ],
  ["else a square", asked({ aspect_ratio: "match_input_image" }), 1],
  ["nonsense is none", asked({ width: 0, height: -4, size: "0x0" }), 1],
])("%s", (_, init, ratio) => {
  const { width, height } = reservedShape(aJob({ ...init, jobId: "a" }));
  expect(width / height).toBeCloseTo(ratio);
});

it("what a model makes says the shape of a sound, a text and a film", () => {
  const job = aJob({ jobId: "a" });
  expect(reservedShape(job, Model_OutputKind.AUDIO)).toEqual({ width: 4, height: 3 });
  expect(reservedShape(job, Model_OutputKind.TEXT)).toEqual({ width: 4, height: 3 });
  expect(reservedShape(job, Model_OutputKind.VIDEO)).toEqual({ width: 16, height: 9 });
  const done = aJob({ jobId: "a", artifacts: [{ mediaType: "audio/mpeg" }] });
  expect(reservedShape(done)).toEqual(reservedShape(job, Model_OutputKind.AUDIO));
});
