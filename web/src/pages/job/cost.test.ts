// Is a cost estimated from what was made and how long it ran, and only where something is billed?
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { AttemptSchema, Charge } from "@/gen/mediagen/v1/attempt_pb";
import { ArtifactSchema, JobSchema } from "@/gen/mediagen/v1/job_pb";
import { Price_Unit, PriceSchema } from "@/gen/mediagen/v1/model_pb";
import { estimateOf, estimateText } from "@/pages/job/cost";

const artifact = create(ArtifactSchema, {
  width: 1000,
  height: 2000,
  duration: { seconds: 5n, nanos: 500_000_000 },
});
const job = create(JobSchema, {
  charge: Charge.YES,
  artifacts: [artifact, artifact],
  attempts: [
    create(AttemptSchema, { charge: Charge.NO, predictSeconds: 100 }),
    create(AttemptSchema, { charge: Charge.YES, predictSeconds: 4 }),
  ],
});
const price = (unit: Price_Unit) => create(PriceSchema, { usd: 0.01, unit });

describe("an estimate", () => {
  it.each([
    [Price_Unit.OUTPUT, 0.02],
    [Price_Unit.RUN, 0.01],
    [Price_Unit.RUN_SECOND, 0.04],
    [Price_Unit.OUTPUT_SECOND, 0.11],
    [Price_Unit.MEGAPIXEL, 0.04],
  ])("counts by the unit of the price (%s)", (unit, usd) => {
    expect(estimateOf(job, price(unit))?.usd).toBeCloseTo(usd);
  });

  it("says what it rests on", () => {
    const estimate = estimateOf(job, price(Price_Unit.OUTPUT));
    expect(estimate && estimateText(estimate)).toBe("about $0.02 (2 × $0.01 each)");
  });

  it("is not made without a price, of an unknown unit, or where nothing is billed", () => {
    expect(estimateOf(job, undefined)).toBeUndefined();
    expect(estimateOf(job, price(Price_Unit.UNSPECIFIED))).toBeUndefined();
    const free = create(JobSchema, { ...job, charge: Charge.NO });
    expect(estimateOf(free, price(Price_Unit.OUTPUT))).toBeUndefined();
  });
});
