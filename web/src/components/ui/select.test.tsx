// One of a few, by keyboard and by pointer.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import {
  Select,
  SelectContent,
  SelectGroup,
  SelectItem,
  SelectLabel,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";

function Format({ onValueChange }: { onValueChange?: (value: string) => void }) {
  return (
    <>
      <label htmlFor="format">Format</label>
      <Select defaultValue="jpg" onValueChange={onValueChange} name="format">
        <SelectTrigger id="format">
          <SelectValue placeholder="Choose" />
        </SelectTrigger>
        <SelectContent>
          <SelectGroup>
            <SelectLabel>Pictures</SelectLabel>
            <SelectItem value="webp">WebP</SelectItem>
            <SelectItem value="jpg">JPEG</SelectItem>
            <SelectItem value="tiff" disabled>
              TIFF
            </SelectItem>
            <SelectItem value="png">PNG</SelectItem>
          </SelectGroup>
        </SelectContent>
      </Select>
    </>
  );
}

const trigger = (): HTMLElement => screen.getByRole("combobox", { name: "Format" });

function activeOption(): string | null {
  const id = screen.getByRole("listbox").getAttribute("aria-activedescendant") ?? "";
  return document.getElementById(id)?.textContent ?? null;
}

test("what is chosen stands there before it was ever opened", () => {
  render(<Format />);
  expect(trigger()).toHaveTextContent("JPEG");
  expect(screen.queryByRole("option", { hidden: true })).toBeNull();
});

test("it opens at what is chosen, and the arrows leave out what can not be", async () => {
  const chosen = vi.fn();
  render(<Format onValueChange={chosen} />);
  trigger().focus();
  await userEvent.keyboard("{ArrowDown}");
  expect(screen.getByRole("listbox", { name: /Format/ })).toHaveFocus();
  expect(activeOption()).toBe("JPEG");
  await userEvent.keyboard("{ArrowDown}");
  expect(activeOption()).toBe("PNG");
  await userEvent.keyboard("{Home}");
  expect(activeOption()).toBe("WebP");
  await userEvent.keyboard("{End}{Enter}");
  expect(chosen).toHaveBeenCalledExactlyOnceWith("png");
  expect(trigger()).toHaveTextContent("PNG");
  expect(trigger()).toHaveFocus();
});

test("letters go to the line that begins with them", async () => {
  render(<Format />);
  await userEvent.click(trigger());
  await userEvent.keyboard("we");
  expect(activeOption()).toBe("WebP");
});

test("Escape leaves the choice as it was", async () => {
  const chosen = vi.fn();
  render(<Format onValueChange={chosen} />);
  await userEvent.click(trigger());
  await userEvent.keyboard("{ArrowDown}{Escape}");
  expect(screen.queryByRole("listbox")).toBeNull();
  expect(trigger()).toHaveTextContent("JPEG");
  expect(chosen).not.toHaveBeenCalled();
});

test("a click chooses, but nothing that can not be chosen", async () => {
  const chosen = vi.fn();
  render(<Format onValueChange={chosen} />);
  await userEvent.click(trigger());
  await userEvent.click(screen.getByRole("option", { name: "TIFF" }), {
    pointerEventsCheck: 0,
  });
  expect(chosen).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("option", { name: "WebP" }));
  expect(chosen).toHaveBeenCalledExactlyOnceWith("webp");
});
