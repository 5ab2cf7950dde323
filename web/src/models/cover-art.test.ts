// A model without a picture always has the same colours, and other ones than its neighbour.
import { expect, it } from "vitest";

import { coverArt } from "./cover-art";

it("is the same for the same name", () => {
  expect(coverArt("black-forest-labs/flux-schnell")).toEqual(
    coverArt("black-forest-labs/flux-schnell"),
  );
});

it("differs between names that differ by little", () => {
  const arts = ["a/flux-2-pro", "a/flux-2-max", "a/flux-2-flex"].map(coverArt);
  expect(new Set(arts.map(({ ground }) => ground.join())).size).toBe(arts.length);
});
