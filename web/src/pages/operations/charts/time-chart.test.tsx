// Can a chart be read without seeing it, and without telling colours apart?
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";

import {
  frameOf,
  highestOf,
  isEmpty,
  momentOf,
  scalesOf,
  type ChartData,
} from "@/pages/operations/charts/series";
import { TimeChart } from "@/pages/operations/charts/time-chart";

const MINUTE = 60_000;
const data: ChartData = {
  title: "Jobs that ended",
  description: "Per step, how many.",
  empty: "No job has ended.",
  times: [0, 1, 2].map((step) => new Date(2026, 10, 23, 12, step)),
  stepMs: MINUTE,
  whole: true,
  format: (value) => value.toString(),
  series: [
    { name: "Completed", colour: "blue", values: [1, 0, 3] },
    { name: "Failed", colour: "red", look: "striped", values: [0, null, 2] },
  ],
};

function Chart({ shown = data }: { shown?: ChartData }) {
  const [step, setStep] = useState<number>();
  return <TimeChart data={shown} kind="bars" step={step} onStep={setStep} />;
}

describe("a chart", () => {
  it("says by arrows what there was, step by step, and stops at its ends", async () => {
    const user = userEvent.setup();
    render(<Chart />);
    const slider = screen.getByRole("slider", { name: "Jobs that ended, moment" });
    expect(slider).toHaveAttribute("aria-valuenow", "2");
    await user.tab();
    await user.tab();
    expect(slider).toHaveFocus();
    await user.keyboard("{ArrowLeft}");
    expect(slider.getAttribute("aria-valuetext")).toMatch(/: Completed 0, Failed –$/);
    await user.keyboard("{Home}{ArrowLeft}");
    expect(slider).toHaveAttribute("aria-valuenow", "0");
    await user.keyboard("{End}{ArrowRight}");
    expect(slider.getAttribute("aria-valuetext")).toMatch(/: Completed 3, Failed 2$/);
  });

  it("is a table for who asks for one, the latest first", async () => {
    const user = userEvent.setup();
    render(<Chart />);
    const button = screen.getByRole("button", { name: "Jobs that ended as a table" });
    await user.click(button);
    expect(button).toHaveAttribute("aria-pressed", "true");
    const rows = screen.getAllByRole("row").slice(1);
    const cells = rows.map((row) => within(row).getAllByRole("cell").slice(1));
    expect(cells.map((row) => row.map((cell) => cell.textContent))).toEqual([
      ["3", "2"],
      ["0", "–"],
      ["1", "0"],
    ]);
  });

  it("says that there is nothing to show", () => {
    const none = data.series.map((series) => ({ ...series, values: [0, null, 0] }));
    render(<Chart shown={{ ...data, series: none }} />);
    expect(screen.getByText("No job has ended.")).toBeInTheDocument();
    expect(isEmpty(data)).toBe(false);
  });
});

describe("the scales", () => {
  it("hold the highest line, or the highest stack", () => {
    expect(highestOf(data.series, false)).toBe(3);
    expect(highestOf(data.series, true)).toBe(5);
  });

  it("count in whole numbers, from nothing, inside of the frame", () => {
    const frame = frameOf(400, 200);
    const { x, y, yTicks } = scalesOf(data, frame, 3);
    expect(yTicks.map(({ label }) => label)).toEqual(["0", "1", "2", "3", "4"]);
    expect(y(0)).toBe(frame.height - frame.bottom);
    expect(y(3)).toBeGreaterThanOrEqual(frame.top);
    expect(x(0)).toBeGreaterThan(frame.left);
    expect(x(2)).toBeLessThan(frame.width - frame.right);
  });

  it("stand also where there is nothing", () => {
    const empty = { ...data, times: [], series: [] };
    const { xTicks, y } = scalesOf(empty, frameOf(0, 200), highestOf([], true));
    expect(xTicks).toEqual([]);
    expect(Number.isFinite(y(0))).toBe(true);
    expect(momentOf(empty, 0)).toBe("");
  });
});
