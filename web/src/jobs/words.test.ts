// Each thing is said in the words of the design, and nothing is promised that is not known.
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";

import { Charge } from "@/gen/mediagen/v1/attempt_pb";
import { Job_Stage, Job_State } from "@/gen/mediagen/v1/job_pb";
import { roughly, stopwatch, took } from "@/jobs/spans";
import { attemptWord, chargeWord, outlook, shortModel, statusWord, titleOf } from "@/jobs/words";
import { aJob, NOON, type JobInit } from "@/testing/jobs";

const at = (seconds: number) => timestampFromMs(NOON + seconds * 1000);
const job = (init: JobInit) => aJob({ ...init, jobId: "a" });

describe("where a job is", () => {
  it.each<[JobInit, string]>([
    [{}, "Waiting"],
    [{ nextAttemptTime: at(4) }, "Retrying"],
    [{ state: Job_State.RUNNING, stage: Job_Stage.PROCESSING }, "Processing"],
    [{ state: Job_State.RUNNING, stage: Job_Stage.RECONCILING }, "Reconciling"],
    [{ state: Job_State.RUNNING, stage: 99 as never }, "Running"],
    [{ state: 99 as never }, "In progress"],
    [{ state: Job_State.FAILED }, "Failed"],
  ])("%#", (init, word) => {
    expect(statusWord(job(init))).toBe(word);
  });
});

describe("how it may go on", () => {
  it.each<[JobInit, string]>([
    [{}, ""],
    [{ forecast: { jobsAhead: 3 } }, "3 ahead"],
    [{ forecast: { jobsAhead: 0, startTimeP50: at(20) } }, "Next in line, starts in about 20 s"],
    [{ nextAttemptTime: at(4), forecast: { jobsAhead: 3 } }, "Tries again in 4 s"],
    [{ state: Job_State.RUNNING, forecast: { jobsAhead: 3 } }, ""],
    [{ state: Job_State.RUNNING, forecast: { endTimeP50: at(120) } }, "Done in about 2 min"],
    [
      { state: Job_State.RUNNING, forecast: { endTimeP50: at(-1), endTimeP90: at(5) } },
      "Done any moment",
    ],
    [
      { state: Job_State.RUNNING, forecast: { endTimeP50: at(-9), endTimeP90: at(-5) } },
      "Longer than usual",
    ],
    [{ state: Job_State.COMPLETED }, ""],
  ])("%#", (init, words) => {
    expect(outlook(job(init), NOON)).toBe(words);
  });
});

it("attempts are counted from the second on", () => {
  expect(attemptWord(job({ attempts: [{ number: 1 }] }))).toBe("");
  expect(attemptWord(job({ attempts: [{ number: 1 }, { number: 2 }] }))).toBe("Attempt 2");
});

it("a charge that is not known is not said to be none", () => {
  expect(chargeWord(Charge.NO)).toBe("Not charged");
  expect(chargeWord(Charge.UNKNOWN)).toBe("May be charged");
  expect(chargeWord(77 as never)).toBe("May be charged");
});

it("a job is called by its prompt, wherever that was given, or by its model", () => {
  expect(titleOf(job({ request: { model: "a/b", prompt: "two\n  lines" } }))).toBe("two lines");
  expect(titleOf(job({ request: { model: "a/b", input: { prompt: "in input" } } }))).toBe(
    "in input",
  );
  expect(titleOf(job({ request: { model: "a/b:0123" } }))).toBe("b");
  const spoken = { model: "a/b", title: "good morning", input: { text: "good morning" } };
  expect(titleOf(job({ request: spoken }))).toBe("good morning");
  expect(shortModel("owner/name")).toBe("name");
});

it("spans are written as they are spoken", () => {
  expect([7, 750, 3723].map((seconds) => stopwatch(seconds * 1000))).toEqual([
    "0:07",
    "12:30",
    "1:02:03",
  ]);
  expect(stopwatch(-5)).toBe("0:00");
  expect([0, 4, 22, 90, 7200].map((seconds) => roughly(seconds * 1000))).toEqual([
    "1 s",
    "4 s",
    "20 s",
    "2 min",
    "2 h",
  ]);
  expect([0.84, 3, 9.96, 59.7, 200, 4000].map((seconds) => took(seconds * 1000))).toEqual([
    "0.8 s",
    "3 s",
    "10 s",
    "1 min",
    "3 min 20 s",
    "1 h 6 min",
  ]);
});
