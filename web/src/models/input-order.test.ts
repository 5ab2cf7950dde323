// Inputs come as the schema has them; what it does not know comes last, by name.
import { expect, it } from "vitest";

import { byOrder } from "./input-order";

const sorted = (order: string[], names: string[]) =>
  names
    .map((name) => ({ name }))
    .sort(byOrder(order))
    .map(({ name }) => name);

it("is the schema's order, and then that of the names", () => {
  expect(
    sorted(["seed", "constructor", "fps"], ["old", "fps", "constructor", "gone", "seed"]),
  ).toEqual(["seed", "constructor", "fps", "gone", "old"]);
});

it("is that of the names where there is no schema", () => {
  expect(sorted([], ["b", "a"])).toEqual(["a", "b"]);
});
