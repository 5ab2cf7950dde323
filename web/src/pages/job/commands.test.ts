// Does each command submit what the job was, in every one of its parts?
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { JobRequestSchema, Priority } from "@/gen/mediagen/v1/job_pb";
import { asBufCurl, asCurl, asPython, submission } from "@/pages/job/commands";

const request = create(JobRequestSchema, {
  model: "a/b",
  prompt: "it's",
  input: { seed: 4, image: "upload:1" },
  labels: { team: "films" },
  priority: Priority.LOW,
  timeout: { seconds: 90n },
  requestId: "once",
  modelVersion: "f".repeat(64),
  defaults: { megapixels: "1" },
});

describe("what is submitted", () => {
  it("is what was given, and neither what was settled nor the id of the submission", () => {
    expect(submission(request)).toEqual({
      model: "a/b",
      prompt: "it's",
      input: { seed: 4, image: "upload:1" },
      labels: { team: "films" },
      priority: "PRIORITY_LOW",
      timeout: "90s",
    });
  });

  it("leaves out what the service takes by itself", () => {
    const plain = create(JobRequestSchema, {
      model: "a/b",
      prompt: "x",
      input: {},
      priority: Priority.NORMAL,
      timeout: { seconds: 3600n },
    });
    expect(submission(plain)).toEqual({ model: "a/b", prompt: "x" });
  });
});

describe("a command", () => {
  it("names the service where the page found it", () => {
    expect(asCurl(request, "http://127.0.0.1:8000")).toContain(
      "curl http://127.0.0.1:8000/api/v1/generate",
    );
    expect(asBufCurl(request, "http://127.0.0.1:8000")).toContain("--http2-prior-knowledge");
    expect(asPython(request, "http://127.0.0.1:8000")).toContain('Client("127.0.0.1:8000")');
  });

  it("is told of TLS, and of the port that plain HTTP leaves out", () => {
    expect(asBufCurl(request, "https://media.example")).not.toContain("prior-knowledge");
    expect(asPython(request, "https://media.example")).toContain('Client("https://media.example")');
    expect(asPython(request, "http://media.example")).toContain('Client("media.example:80")');
  });

  it("says in Python what the client calls it", () => {
    const text = asPython(request, "http://127.0.0.1:8000");
    expect(text).toContain('priority="low",');
    expect(text).toContain("timeout=90,");
    expect(text).toContain('input={"seed": 4, "image": "upload:1"},');
  });
});

describe("a secret", () => {
  const hidden = create(JobRequestSchema, {
    model: "a/b",
    input: { "api-key": "**********", text: "**********" },
    secretInputs: ["api-key"],
  });
  const origin = "http://127.0.0.1:8000";

  it("is read from the environment of who runs the command", () => {
    expect(asCurl(hidden, origin)).toContain(`"api-key": "'"$API_KEY"'"`);
    expect(asBufCurl(hidden, origin)).toContain(`"api-key": "'"$API_KEY"'"`);
    const python = asPython(hidden, origin);
    expect(python).toContain("import asyncio\nimport os\n\nimport mediagen");
    expect(python).toContain('"api-key": os.environ["API_KEY"]');
  });

  it("changes nothing of what only looks like it", () => {
    expect(asCurl(hidden, origin)).toContain('"text": "**********"');
  });
});

it("a model without a prompt is given none", () => {
  const speech = create(JobRequestSchema, { model: "a/b", input: { text: "hello" } });
  const python = asPython(speech, "http://127.0.0.1:8000");
  expect(python).toContain('submit(\n            model="a/b",');
  expect(python).toContain("import asyncio\n\nimport mediagen");
});
