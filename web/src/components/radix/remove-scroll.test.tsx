// The page behind a dialog stays where it is, without a style sheet of anybody's.
import { render } from "@testing-library/react";
import { expect, test } from "vitest";

import { RemoveScroll } from "@/components/radix/remove-scroll";

const root = document.documentElement;

test("the page scrolls again when the last of several is gone", () => {
  const first = render(<RemoveScroll as="div" />);
  const second = render(<RemoveScroll as="div" />);
  expect(root.style.overflow).toBe("hidden");
  first.unmount();
  expect(root.style.overflow).toBe("hidden");
  second.unmount();
  expect(root.style.overflow).toBe("");
  expect(document.body.style.paddingRight).toBe("");
  expect(document.querySelector("style")).toBeNull();
});

test("one that is off holds nothing", () => {
  const { unmount } = render(<RemoveScroll as="div" enabled={false} />);
  expect(root.style.overflow).toBe("");
  unmount();
});
