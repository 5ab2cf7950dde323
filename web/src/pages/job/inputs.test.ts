// Are inputs told by name with their files, and long ones so that they can be read?
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { JobRequestSchema } from "@/gen/mediagen/v1/job_pb";
import { inputsOf, inputText } from "@/pages/job/inputs";

const DATA = `data:image/png;base64,${"A".repeat(5000)}`;
const request = create(JobRequestSchema, {
  prompt: "x",
  input: { prompt: "x", "a/b~c": ["upload:1", DATA], seed: 4 },
  defaults: { megapixels: "1" },
  inputFiles: [
    { path: "/a~1b~0c/0", uri: "upload:1", mediaType: "image/png" },
    { path: "/a~1b~0c/1", uri: "", mediaType: "image/png" },
  ],
});

describe("the inputs of a job", () => {
  it("are those given, then those left out, without the prompt", () => {
    const names = inputsOf(request).map(({ isDefault, name }) => [name, isDefault]);
    expect(names).toEqual([
      ["a/b~c", false],
      ["seed", false],
      ["megapixels", true],
    ]);
  });

  it("have their files, also those that stand in the input itself", () => {
    const [files] = inputsOf(request).map((input) => input.files);
    expect(files?.map(({ reference }) => reference)).toEqual(["upload:1", DATA]);
  });

  it("are shortened where they are data", () => {
    expect(inputText(DATA)).toBe("data:image/png;base64,…");
    expect(inputText(["a", DATA])).toBe('["a","data:image/png;base64,…"]');
  });
});
