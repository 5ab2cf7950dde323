// A word about what has just happened.
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { toast, Toaster } from "@/components/ui/toast";

beforeEach(() => {
  vi.useFakeTimers();
  render(<Toaster />);
});

afterEach(() => {
  act(() => {
    vi.runAllTimers();
  });
  vi.useRealTimers();
});

test("it is read out, and goes by itself", () => {
  act(() => toast.success("Copied", { description: "The link" }));
  expect(screen.getByRole("status")).toHaveTextContent("CopiedThe link");
  act(() => {
    vi.advanceTimersByTime(6000);
  });
  expect(screen.getByRole("status")).toBeEmptyDOMElement();
});

test("it waits while the pointer or the focus is on it", () => {
  act(() => toast("Deleted"));
  const dismiss = screen.getByRole("button", { name: "Dismiss" });
  fireEvent.focus(dismiss);
  act(() => {
    vi.advanceTimersByTime(60_000);
  });
  expect(screen.getByText("Deleted")).toBeInTheDocument();
  fireEvent.blur(dismiss);
  act(() => {
    vi.advanceTimersByTime(6000);
  });
  expect(screen.queryByText("Deleted")).toBeNull();
});

test("its action is done once, and then it goes", () => {
  const undo = vi.fn();
  act(() => toast("Deleted", { action: { label: "Undo", onClick: undo } }));
  fireEvent.click(screen.getByRole("button", { name: "Undo" }));
  expect(undo).toHaveBeenCalledOnce();
  expect(screen.queryByText("Deleted")).toBeNull();
});

test("of many only the newest three are shown", () => {
  act(() => ["1st", "2nd", "3rd", "4th"].forEach((title) => toast(title)));
  expect(screen.getAllByRole("button", { name: "Dismiss" })).toHaveLength(3);
  expect(screen.queryByText("1st")).toBeNull();
});
