// Ids are UUIDs of version 4, another one each time.
import { expect, it } from "vitest";

import { randomId } from "./random-id";

it("is a UUID of version 4", () => {
  expect(randomId()).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

it("is another one each time", () => {
  expect(new Set(Array.from({ length: 1000 }, randomId)).size).toBe(1000);
});
