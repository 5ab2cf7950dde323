// A list that is searched by typing.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import {
  Command,
  CommandEmpty,
  CommandGroup,
  CommandInput,
  CommandItem,
  CommandList,
} from "@/components/ui/command";

const MODELS = ["flux-schnell", "flux-dev", "musicgen"];

function Models({ onSelect }: { onSelect?: (value: string) => void }) {
  return (
    <Command>
      <CommandInput aria-label="Search models" />
      <CommandList aria-label="Models">
        <CommandGroup heading="All">
          {MODELS.map((name) => (
            <CommandItem
              key={name}
              value={name}
              keywords={name.startsWith("flux") ? ["picture"] : ["sound"]}
              selected={name === "flux-dev"}
              onSelect={onSelect}
            >
              {name}
            </CommandItem>
          ))}
        </CommandGroup>
      </CommandList>
      <CommandEmpty>No model fits.</CommandEmpty>
    </Command>
  );
}

const field = (): HTMLElement => screen.getByRole("combobox", { name: "Search models" });

function activeOption(): string | undefined {
  const id = field().getAttribute("aria-activedescendant") ?? "";
  return document.getElementById(id)?.textContent;
}

test("it begins at what is chosen, and the arrows stop at both ends", async () => {
  render(<Models />);
  await userEvent.click(field());
  expect(activeOption()).toBe("flux-dev");
  await userEvent.keyboard("{ArrowUp}{ArrowUp}");
  expect(activeOption()).toBe("flux-schnell");
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}");
  expect(activeOption()).toBe("musicgen");
});

test("every word that is typed must fit, in name or keywords; Enter takes the first", async () => {
  const taken = vi.fn();
  render(<Models onSelect={taken} />);
  await userEvent.type(field(), "PICTURE sch");
  expect(screen.getAllByRole("option").map(({ textContent }) => textContent)).toEqual([
    "flux-schnell",
  ]);
  await userEvent.keyboard("{Enter}");
  expect(taken).toHaveBeenCalledExactlyOnceWith("flux-schnell");
});

test("it says when nothing fits, and Enter then takes nothing", async () => {
  const taken = vi.fn();
  render(<Models onSelect={taken} />);
  expect(screen.queryByText("No model fits.")).toBeNull();
  await userEvent.type(field(), "zzz{Enter}");
  expect(await screen.findByText("No model fits.")).toBeInTheDocument();
  expect(taken).not.toHaveBeenCalled();
});

test("a click takes a line", async () => {
  const taken = vi.fn();
  render(<Models onSelect={taken} />);
  await userEvent.click(screen.getByRole("option", { name: "musicgen" }));
  expect(taken).toHaveBeenCalledExactlyOnceWith("musicgen");
});
