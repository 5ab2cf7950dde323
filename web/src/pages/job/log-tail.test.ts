// A log that may have been longer says so; a short one does not.
import { expect, it } from "vitest";

import { mayBeCut } from "@/pages/job/log-tail";

const bar = (percent: number): string => `${percent}%|${"#".repeat(40)}| ${percent}/100`;

it("a few lines are all that there was", () => {
  expect(mayBeCut("Using seed: 7")).toBe(false);
  expect(mayBeCut(Array.from({ length: 12 }, (_, at) => bar(at)).join("\n"))).toBe(false);
});

it("as many lines as fit are the end of more", () => {
  // What the service makes of two hundred such lines: those of the last 1,024 characters.
  const all = Array.from({ length: 200 }, (_, at) => bar(at % 100)).join("\n");
  const tail = all.slice(-1024);
  expect(mayBeCut(tail.slice(tail.indexOf("\n") + 1))).toBe(true);
  expect(mayBeCut("x".repeat(1024))).toBe(true);
});
