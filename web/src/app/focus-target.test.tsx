// The keys that put the focus into a field, on this page or on the next.
import { render, screen } from "@testing-library/react";
import { useRef } from "react";
import { expect, test } from "vitest";

import { focusTarget, isFocusAwaited, useFocusTarget } from "@/app/focus-target";

function Search() {
  const field = useRef<HTMLInputElement>(null);
  useFocusTarget("search", field);
  return <input ref={field} aria-label="Search" />;
}

test("a field that is there gets the focus", () => {
  render(<Search />);
  expect(focusTarget("search")).toBe(true);
  expect(screen.getByLabelText("Search")).toHaveFocus();
});

test("a field that is still to come gets it when it comes, once", () => {
  expect(focusTarget("search")).toBe(false);
  expect(isFocusAwaited()).toBe(true);
  const { unmount } = render(<Search />);
  expect(screen.getByLabelText("Search")).toHaveFocus();
  expect(isFocusAwaited()).toBe(false);
  unmount();
  render(<Search />);
  expect(screen.getByLabelText("Search")).not.toHaveFocus();
});
