// A job is asked for under one request_id until there is an answer, and two are never made of one.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { generation } from "@/api/clients";
import { SubmitJobResponseSchema } from "@/gen/mediagen/v1/generation_service_pb";

import { discard, resubmit, submit, useSubmissions } from "./submissions";

const FOX = { model: "a/b", prompt: "a fox", input: {} };
const ids: string[] = [];

/** The service answers so, one time after the other; the last one again and again. */
function answers(...given: (Code | "job")[]): void {
  vi.spyOn(generation, "submitJob").mockImplementation((request) => {
    ids.push(request.requestId ?? "");
    const next = given.length > 1 ? given.shift() : given[0];
    if (next === "job") {
      const job = { jobId: `job-${request.requestId}` };
      return Promise.resolve(create(SubmitJobResponseSchema, { job }));
    }
    return Promise.reject(new ConnectError("no", next ?? Code.Internal));
  });
}

const open = () => renderHook(() => useSubmissions()).result.current;

async function settled<T>(promise: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return promise;
}

beforeEach(() => {
  vi.useFakeTimers();
  ids.length = 0;
});

afterEach(() => {
  open().forEach(discard);
  vi.useRealTimers();
});

describe("a job that is asked for", () => {
  it("comes with its answer", async () => {
    answers("job");
    const job = await settled(submit(FOX));
    expect(job?.jobId).toBe(`job-${ids[0]}`);
    expect(open()).toEqual([]);
  });

  it("is asked for again under the same id where nothing was heard", async () => {
    answers(Code.Unavailable, Code.DeadlineExceeded, "job");
    const job = await settled(submit(FOX));
    expect(job).toBeDefined();
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  it("stays where the service goes on being silent, and keeps its id for the next time", async () => {
    answers(Code.Unavailable);
    expect(await settled(submit(FOX))).toBeUndefined();
    expect(open()).toMatchObject([{ state: "unanswered" }]);
    answers("job");
    await settled(submit(FOX));
    expect(new Set(ids).size).toBe(1);
    expect(open()).toEqual([]);
  });

  it("is another one where something else is asked for", async () => {
    answers(Code.Unavailable);
    await settled(submit(FOX));
    await settled(submit({ ...FOX, prompt: "an owl" }));
    expect(new Set(ids).size).toBe(2);
    expect(open()).toHaveLength(2);
  });

  it("is sent again from where it stands", async () => {
    answers(Code.Unavailable);
    await settled(submit(FOX));
    const [stuck] = open();
    answers("job");
    expect(stuck && (await settled(resubmit(stuck)))).toBeDefined();
    expect(new Set(ids).size).toBe(1);
  });
});

describe("two that are asked for at once", () => {
  it("are two jobs, even if they are the same", async () => {
    answers("job");
    await settled(Promise.all([submit(FOX), submit(FOX)]));
    expect(new Set(ids).size).toBe(2);
  });
});

describe("a refusal", () => {
  it("is given to who can show it, and asked for no more", async () => {
    answers(Code.InvalidArgument);
    const showRefusal = vi.fn(() => true);
    expect(await settled(submit(FOX, { showRefusal }))).toBeUndefined();
    expect(showRefusal).toHaveBeenCalledOnce();
    expect(ids).toHaveLength(1);
    expect(open()).toEqual([]);
  });

  it("stays to be seen where its form is gone", async () => {
    answers(Code.InvalidArgument);
    await settled(submit(FOX, { showRefusal: () => false }));
    expect(open()).toMatchObject([{ state: "refused" }]);
  });
});

describe("what this tab writes down", () => {
  it("is what was not answered, without what is secret", async () => {
    answers(Code.Unavailable);
    await settled(submit(FOX));
    await settled(submit({ ...FOX, prompt: "hush" }, { secret: true }));
    const written = sessionStorage.getItem("mediagen.unanswered") ?? "";
    expect(written).toContain("a fox");
    expect(written).not.toContain("hush");
  });

  it("is there after a reload, to be asked for again under its id", async () => {
    answers(Code.Unavailable);
    await settled(submit(FOX));
    vi.resetModules();
    const reloaded = await import("./submissions");
    const { result } = renderHook(() => reloaded.useSubmissions());
    expect(result.current).toMatchObject([
      { state: "unanswered", request: { prompt: "a fox", requestId: ids[0] } },
    ]);
  });
});
