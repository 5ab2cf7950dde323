// What is said of a call that failed, and what code may do about it.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";

import { isCanceled, isTransient, problemOf } from "@/api/problem";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@/gen/google/rpc/error_details_pb";

test("a refusal tells its reason, its facts and every field", () => {
  const violations = [
    { field: "prompt", description: "is too long" },
    { field: "input.width", description: "must be at most 1440" },
  ];
  const error = new ConnectError("2 fields are wrong", Code.InvalidArgument, undefined, [
    {
      desc: ErrorInfoSchema,
      value: create(ErrorInfoSchema, {
        reason: "ERROR_REASON_INVALID_REQUEST",
        metadata: { model: "a/b" },
      }),
    },
    { desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations: violations }) },
  ]);
  expect(problemOf(error)).toEqual({
    code: Code.InvalidArgument,
    reason: "INVALID_REQUEST",
    message: "2 fields are wrong",
    violations,
    metadata: { model: "a/b" },
    retryAfterMs: undefined,
  });
});

test("the service says when it may be tried again", () => {
  const retryDelay = { seconds: 2n, nanos: 500_000_000 };
  const error = new ConnectError("too many", Code.ResourceExhausted, undefined, [
    { desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) },
  ]);
  expect(problemOf(error).retryAfterMs).toBe(2500);
});

test("no connection is told in words, and may be tried again", () => {
  const error = ConnectError.from(new TypeError("Failed to fetch"));
  expect(problemOf(error).code).toBe(Code.Unavailable);
  expect(problemOf(error).message).toMatch(/can not be reached/);
  expect(isTransient(error)).toBe(true);
});

test("a call that took too long may be tried again, one that is wrong may not", () => {
  expect(isTransient(new ConnectError("", Code.DeadlineExceeded))).toBe(true);
  expect(isTransient(new ConnectError("", Code.InvalidArgument))).toBe(false);
  expect(isTransient(new Error("a bug"))).toBe(false);
});

test("what the page itself gave up is no problem", () => {
  const aborted = Object.assign(new Error("The user aborted"), { name: "AbortError" });
  expect(isCanceled(aborted)).toBe(true);
  expect(isCanceled(new ConnectError("", Code.Unavailable))).toBe(false);
});
