// What a job costs is said as far as it is known, and no further.
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

import { ModelSchema, Price_Unit } from "@/gen/mediagen/v1/model_pb";

import { estimate, priceText, timeText, usd } from "./price";

function model(amount: number, unit: Price_Unit, seconds?: number) {
  const runTime = seconds === undefined ? {} : { runTime: { p50: { seconds: BigInt(seconds) } } };
  return create(ModelSchema, { price: { usd: amount, unit }, ...runTime });
}

it.each([
  [0.003, "$0.003"],
  [0.04, "$0.04"],
  [0.000975, "$0.000975"],
  [0.09, "$0.09"],
  [1.2, "$1.20"],
  [12, "$12.00"],
])("writes %d as %s", (amount, text) => expect(usd(amount)).toBe(text));

it("multiplies by what is made", () => {
  const each = model(0.003, Price_Unit.OUTPUT);
  expect(estimate(each, 4, undefined)).toEqual({ usd: 0.012, rough: false });
  expect(estimate(model(0.05, Price_Unit.OUTPUT_SECOND), 1, 5)).toEqual({
    usd: 0.25,
    rough: false,
  });
});

it("is rough where it depends on how long it takes, and nothing where that is not known", () => {
  const timed = model(0.001, Price_Unit.RUN_SECOND, 5);
  expect(estimate(timed, 1, undefined)).toEqual({ usd: 0.005, rough: true });
  expect(estimate(model(0.001, Price_Unit.RUN_SECOND), 1, undefined)).toBeUndefined();
  expect(estimate(create(ModelSchema), 1, undefined)).toBeUndefined();
});

it("says the price and the usual time of a model", () => {
  expect(priceText(model(0.003, Price_Unit.OUTPUT).price)).toBe("$0.003 each");
  expect(priceText(undefined)).toBeUndefined();
  expect(timeText(model(1, Price_Unit.RUN, 42))).toBe("~42 s");
  expect(timeText(model(1, Price_Unit.RUN, 300))).toBe("~5 min");
});
