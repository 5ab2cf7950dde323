// Listed and live jobs make one list: nothing twice, nothing missing, nothing in the wrong place.
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";

import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { NOTHING_KNOWN, reduce, type LiveState } from "@/live/live-state";
import { Model_OutputKind } from "@/gen/mediagen/v1/model_pb";
import { itemsOf, sameItems, Shapes, type Listed } from "@/pages/gallery/gallery-items";
import { aJob, NOON } from "@/testing/jobs";

const at = (second: number, more: Partial<Job> = {}): Job => ({
  ...aJob({ jobId: `job-${second}`, createTime: timestampFromMs(NOON + second * 1000) }),
  ...more,
});
const live = (...jobs: Job[]): LiveState =>
  reduce(NOTHING_KNOWN, [{ kind: "read", jobs, epoch: 0 }]);
const unknown = (): Model_OutputKind => Model_OutputKind.UNSPECIFIED;
const shown = (state: LiveState, listed: Listed, filter = {}): string[] =>
  itemsOf(state, listed, filter, new Shapes(), unknown).map(({ jobId }) => jobId);

it("newer live jobs stand before the listed ones; older open ones wait for their page", () => {
  const state = live(at(9), at(5), at(4), at(1));
  expect(shown(state, { jobs: [at(5), at(4)], complete: false })).toEqual([
    "job-9",
    "job-5",
    "job-4",
  ]);
  expect(shown(state, { jobs: [at(5), at(4)], complete: true })).toHaveLength(4);
  expect(shown(state, { jobs: [], complete: false })).toEqual([]);
});

it("what was listed stays when the live state has let go of it", () => {
  expect(shown(live(at(9), at(4)), { jobs: [at(5), at(4)], complete: false })).toEqual([
    "job-9",
    "job-5",
    "job-4",
  ]);
});

it("who leaves the filter leaves the list, although it was listed", () => {
  const filter = { states: [Job_State.PENDING] };
  const state = live(at(5, { revision: 2, state: Job_State.RUNNING }), at(4));
  expect(shown(state, { jobs: [at(5), at(4)], complete: true }, filter)).toEqual(["job-4"]);
});

it("the shape that a card had first stays, and progress moves nothing", () => {
  const shapes = new Shapes();
  const listed = { jobs: [], complete: true };
  const before = itemsOf(live(at(5)), listed, {}, shapes, unknown);
  const artifacts = aJob({ jobId: "x", artifacts: [{ width: 300, height: 100 }] }).artifacts;
  const after = itemsOf(live(at(5, { revision: 2, artifacts })), listed, {}, shapes, unknown);
  expect(sameItems(before, after)).toBe(true);
  expect(sameItems(before, itemsOf(live(at(5), at(6)), listed, {}, shapes, unknown))).toBe(false);
});
