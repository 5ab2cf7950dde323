// A cancel is said to be free only if it is; a retry is offered only if it is safe.
import { describe, expect, it } from "vitest";

import { Attempt_State, Charge } from "@/gen/mediagen/v1/attempt_pb";
import { RetryAdvice } from "@/gen/mediagen/v1/failure_pb";
import { Job_Stage, Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { cancelAllWords, cancelStakes, cancelWords, retryOffer } from "@/jobs/stakes";
import { aJob, NOON } from "@/testing/jobs";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

const { PENDING, RUNNING, COMPLETED, FAILED, CANCELED } = Job_State;

function job(state: Job_State, attempts: Attempt_State[] = [], more: Partial<Job> = {}): Job {
  const init = attempts.map((one, at) => ({ number: at + 1, state: one }));
  return { ...aJob({ jobId: "a", state, attempts: init, charge: Charge.NO }), ...more };
}

describe("canceling", () => {
  it.each([
    ["free", job(PENDING)],
    ["free", job(PENDING, [Attempt_State.FAILED])],
    ["free", job(RUNNING, [Attempt_State.NOT_CREATED])],
    ["may cost", job(RUNNING)],
    ["may cost", job(RUNNING, [Attempt_State.SUBMITTING])],
    ["may cost", job(RUNNING, [Attempt_State.FAILED, Attempt_State.SUBMITTED])],
    ["may cost", job(RUNNING, [Attempt_State.UNKNOWN])],
    ["paid", job(RUNNING, [Attempt_State.SUCCEEDED], { stage: Job_Stage.SAVING })],
    ["over", job(COMPLETED)],
    ["over", job(RUNNING, [], { cancelRequestTime: timestampFromMs(NOON) })],
  ])("%s %#", (stakes, one) => {
    expect(cancelStakes(one)).toBe(stakes);
  });

  it("of a waiting job says that it costs nothing, and what was charged before stays", () => {
    expect(cancelWords(job(PENDING))).toMatch(/costs nothing\.$/);
    const tried = job(PENDING, [Attempt_State.FAILED], { charge: Charge.UNKNOWN });
    expect(cancelWords(tried)).toMatch(/earlier attempts cost stays/);
  });

  it("of a running job says that it may be charged", () => {
    expect(cancelWords(job(RUNNING, [Attempt_State.SUBMITTED]))).toMatch(/may be charged/);
  });

  it("of many says how many may cost", () => {
    const words = cancelAllWords([job(PENDING), job(PENDING), job(RUNNING), job(COMPLETED)]);
    expect(words).toMatch(/^2 not running .* costs nothing\. 1 sent .* 1 over/);
  });
});

describe("another try", () => {
  const failed = (retryAdvice: RetryAdvice, more: Partial<Job> = {}): Job => ({
    ...aJob({ jobId: "a", state: FAILED, failure: { retryAdvice } }),
    ...more,
  });
  it.each([
    ["retry", failed(RetryAdvice.RETRY)],
    ["retry later", failed(RetryAdvice.RETRY_LATER)],
    ["ask first", failed(RetryAdvice.MAY_PAY_TWICE)],
    ["change", failed(RetryAdvice.CHANGE_REQUEST)],
    ["none", failed(RetryAdvice.ASK_OPERATOR)],
    ["none", failed(RetryAdvice.UNSPECIFIED)],
    ["none", failed(99 as never)],
    ["none", failed(RetryAdvice.RETRY, { redrivenAs: "b" })],
    ["retry", job(CANCELED)],
    ["none", job(RUNNING)],
    ["none", job(COMPLETED)],
  ])("%s %#", (offer, one) => {
    expect(retryOffer(one)).toBe(offer);
  });
});
