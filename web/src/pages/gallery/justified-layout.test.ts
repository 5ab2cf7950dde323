// Cards lie in their order, in full rows, in their shapes, and never upon each other.
import { describe, expect, it } from "vitest";

import { justified, neighbor } from "@/pages/gallery/justified-layout";

const SHAPES = [1, 16 / 9, 9 / 16, 4 / 3, 3 / 4, 21 / 9];
/** The same numbers in every run. */
function shapes(count: number, seed: number): number[] {
  return Array.from(
    { length: count },
    (_, at) => SHAPES[(at * 7 + seed * 13 + ((at * seed) % 5)) % 6] ?? 1,
  );
}
const PHONE = { width: 358, picture: 176, caption: 48, gap: 10, complete: true };
const DESKTOP = { width: 1376, picture: 250, caption: 48, gap: 14, complete: true };

describe.each([PHONE, DESKTOP])("%j", (measures) => {
  const cases = Array.from({ length: 40 }, (_, seed) => shapes(seed * 3, seed));

  it("every card has its place, in order, inside of the width", () => {
    for (const ratios of cases) {
      const { boxes, rows } = justified(ratios, measures);
      expect(boxes).toHaveLength(ratios.length);
      expect(rows.flatMap(({ first, end }) => boxes.slice(first, end))).toEqual(boxes);
      for (const { left, width } of boxes) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left + width).toBeLessThanOrEqual(measures.width + 0.01);
      }
    }
  });

  it("rows are full but for the last, and none overlaps the next", () => {
    for (const ratios of cases) {
      const { boxes, rows, height } = justified(ratios, measures);
      for (const [at, { first, end, top, height: rowHeight }] of rows.entries()) {
        const last = boxes[end - 1];
        const right = (last?.left ?? 0) + (last?.width ?? 0);
        if (at < rows.length - 1) expect(right).toBeCloseTo(measures.width, 3);
        expect(rows[at + 1]?.top ?? Infinity).toBeGreaterThanOrEqual(top + rowHeight);
        expect(top + rowHeight).toBeLessThanOrEqual(height + 0.01);
        for (let next = first + 1; next < end; next++) {
          const [one, other] = [boxes[next - 1], boxes[next]];
          expect(other?.left).toBeCloseTo((one?.left ?? 0) + (one?.width ?? 0) + measures.gap, 3);
        }
      }
    }
  });

  it("pictures keep their shapes", () => {
    for (const ratios of cases) {
      const { boxes } = justified(ratios, measures);
      for (const [at, { width, height }] of boxes.entries())
        expect(width / (height - measures.caption)).toBeCloseTo(ratios[at] ?? 0, 3);
    }
  });

  it("what comes behind moves nothing that was laid out before the end was known", () => {
    for (const [seed, ratios] of cases.entries()) {
      const before = justified(ratios, { ...measures, complete: false });
      const after = justified([...ratios, ...shapes(50, seed)], measures);
      if (before.rows.length <= 1) continue; // one row is shown, full or not
      expect(after.rows.slice(0, before.rows.length)).toEqual(before.rows);
      expect(after.boxes.slice(0, before.boxes.length)).toEqual(before.boxes);
    }
  });
});

it("the arrows up and down come back to where they began in a column of squares", () => {
  const layout = justified(
    Array.from({ length: 30 }, () => 1),
    DESKTOP,
  );
  const below = neighbor(layout, 2, 1);
  expect(layout.boxes[below]?.left).toBe(layout.boxes[2]?.left);
  expect(neighbor(layout, below, -1)).toBe(2);
  expect(neighbor(layout, 2, -1)).toBe(2); // nothing is above the first row
});
