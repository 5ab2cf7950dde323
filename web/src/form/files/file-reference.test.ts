// What an input says of a file is shown from our own service, or not at all.
import { expect, it } from "vitest";

import { isReference, referenceOf } from "./file-reference";

it.each([
  ["upload:u1", "/api/v1/uploads/u1/content"],
  ["artifact:j1/2", "/api/v1/jobs/j1/artifacts/2/preview"],
])("shows %s by %s", (uri, path) => {
  expect(referenceOf(uri).thumbnail).toBe(new URL(path, window.location.href).href);
});

it("shows nothing of another host, and no data that is no picture", () => {
  expect(referenceOf("https://x.test/a.png")).toEqual({
    label: "x.test",
    thumbnail: undefined,
    page: undefined,
  });
  expect(referenceOf("data:image/svg+xml,<svg/>").thumbnail).toBeUndefined();
});

it.each([
  ["https://x.test/a.png", true],
  ["artifact:j1/0", true],
  ["upload:u1", true],
  ["http://x.test/a.png", false],
  ["javascript:alert(1)", false],
  ["a fox", false],
])("takes %s as a reference: %s", (text, is) => expect(isReference(text)).toBe(is));

it("is soon done with a long text that is none", () => {
  expect(isReference(`https://${"a".repeat(200_000)} b`)).toBe(false);
});
