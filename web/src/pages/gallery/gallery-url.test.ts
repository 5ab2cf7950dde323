// The URL has the whole filter, and nothing in it can break the page.
import { expect, it } from "vitest";

import { Job_State } from "@/gen/mediagen/v1/job_pb";
import { matches } from "@/live/job-filter";
import {
  EVERYTHING,
  filterOf,
  isEverything,
  readQuery,
  writeQuery,
  type GalleryQuery,
} from "@/pages/gallery/gallery-url";
import { aJob, NOON } from "@/testing/jobs";

const ALL: GalleryQuery = {
  states: ["failed", "running"],
  model: "black-forest-labs/flux-schnell",
  labels: ["team=films", "empty="],
  since: "day",
  text: "a fox & an = sign",
};

it("what is written is read again", () => {
  expect(readQuery(new URLSearchParams(writeQuery(ALL).toString()))).toEqual(ALL);
  expect(readQuery(new URLSearchParams(""))).toEqual(EVERYTHING);
  expect(isEverything(EVERYTHING)).toBe(true);
});

it.each([
  "state=nowhere",
  "state=constructor",
  "since=ever",
  "since=toString",
  "label=noequals",
  "label=UPPER=x",
  "q=",
])("what the API would refuse is left out: %s", (wrong) => {
  expect(readQuery(new URLSearchParams(wrong))).toEqual(EVERYTHING);
});

it("the filter means for live jobs what it means for listed ones", () => {
  const filter = filterOf({ ...ALL, text: "FOX" }, NOON);
  const job = aJob({
    jobId: "a",
    state: Job_State.RUNNING,
    request: {
      model: "black-forest-labs/flux-schnell",
      prompt: "A Fox",
      labels: { team: "films", empty: "" },
    },
  });
  expect(matches(job, filter)).toBe(true);
  expect(matches({ ...job, state: Job_State.COMPLETED }, filter)).toBe(false);
  expect(matches(job, { ...filter, labels: ["team=games"] })).toBe(false);
  expect(matches(job, { ...filter, labels: ["empty2="] })).toBe(false);
  expect(matches(job, { ...filter, model: "black-forest-labs/flux" })).toBe(false);
  expect(matches(job, { ...filter, since: NOON + 1 })).toBe(false);
  expect(matches(job, { ...filter, text: "wolf" })).toBe(false);
});
