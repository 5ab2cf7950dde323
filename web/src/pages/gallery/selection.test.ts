// A click selects one, a click with shift all up to it.
import { expect, it } from "vitest";

import { extended, NONE, pruned, toggled } from "@/pages/gallery/selection";

const ORDER = ["a", "b", "c", "d", "e"];
const ids = ({ ids: set }: { ids: ReadonlySet<string> }): string => [...set].sort().join("");

it("a second click takes it back", () => {
  expect(ids(toggled(toggled(NONE, "a"), "a"))).toBe("");
});

it("a range goes from the one selected last, in both directions, beside what is selected", () => {
  const one = toggled(toggled(NONE, "a"), "c");
  expect(ids(extended(one, "e", ORDER))).toBe("acde");
  expect(ids(extended(one, "b", ORDER))).toBe("abc");
  expect(ids(extended(extended(one, "e", ORDER), "d", ORDER))).toBe("acde");
});

it("a range without a beginning is the one card", () => {
  expect(ids(extended(NONE, "c", ORDER))).toBe("c");
  expect(ids(extended({ ids: new Set(), anchor: "gone" }, "c", ORDER))).toBe("c");
});

it("what is no longer listed is no longer selected", () => {
  const one = toggled(toggled(NONE, "a"), "c");
  expect(ids(pruned(one, new Set(["c", "d"])))).toBe("c");
  expect(pruned(one, new Set(ORDER))).toBe(one);
});
