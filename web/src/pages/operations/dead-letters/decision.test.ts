// Is only what was seen to cost nothing decided without force?
import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it, vi } from "vitest";

import { operator } from "@/api/clients";
import { DeadLetter_State } from "@/gen/mediagen/v1/dead_letter_pb";
import {
  DeadLetterResult_Outcome as Outcome,
  DeadLetterResultSchema,
  DiscardDeadLettersResponseSchema,
  RedriveDeadLettersResponseSchema,
} from "@/gen/mediagen/v1/operator_service_pb";
import { decide, planOf, previewOf } from "@/pages/operations/dead-letters/decision";
import { filterOf } from "@/pages/operations/dead-letters/letter-filter";

const result = (jobId: string, outcome: Outcome) =>
  create(DeadLetterResultSchema, { jobId, outcome });
const plan = planOf([
  result("free", Outcome.DONE),
  result("paid", Outcome.MAY_PAY_TWICE),
  result("over", Outcome.NOT_OPEN),
  result("later", Outcome.UNAVAILABLE),
]);

function listening() {
  const redrive = vi
    .spyOn(operator, "redriveDeadLetters")
    .mockResolvedValue(create(RedriveDeadLettersResponseSchema));
  const discard = vi
    .spyOn(operator, "discardDeadLetters")
    .mockResolvedValue(create(DiscardDeadLettersResponseSchema));
  return {
    redriven: () => redrive.mock.calls.map(([request]) => request),
    discarded: () => discard.mock.calls.map(([request]) => request),
  };
}

afterEach(() => vi.restoreAllMocks());

describe("a decision", () => {
  it("is planned by what the service says of each", () => {
    expect(plan.free).toEqual(["free"]);
    expect(plan.mayPayTwice).toEqual(["paid"]);
    expect(plan.refused.map(({ jobId }) => jobId)).toEqual(["over", "later"]);
  });

  it("is asked about without changing anything", async () => {
    const { redriven } = listening();
    await previewOf({ kind: "redrive", jobIds: ["a"] }, new AbortController().signal);
    expect(redriven()).toEqual([{ jobIds: ["a"], validateOnly: true }]);
  });

  it("forces nothing unless that was said", async () => {
    const { redriven } = listening();
    await decide("redrive", plan, false);
    expect(redriven()).toEqual([{ jobIds: ["free"] }]);
  });

  it("forces only those that were shown to be paid for twice", async () => {
    const { redriven } = listening();
    await decide("redrive", plan, true);
    expect(redriven()).toEqual([{ jobIds: ["free"] }, { jobIds: ["paid"], force: true }]);
  });

  it("discards what can be", async () => {
    const { discarded, redriven } = listening();
    await decide("discard", plan, false);
    expect(discarded()).toEqual([{ jobIds: ["free"] }]);
    expect(redriven()).toEqual([]);
  });
});

describe("the filter of the URL", () => {
  it("means the undecided ones where nothing is said, and nothing by a word it does not know", () => {
    const none = { letters: "", reason: "bogus", charge: "unspecified", model: "" };
    expect(filterOf(none)).toEqual({
      states: [DeadLetter_State.PARKED, DeadLetter_State.DEAD],
      model: "",
      reasons: [],
      charges: [],
    });
  });
});
