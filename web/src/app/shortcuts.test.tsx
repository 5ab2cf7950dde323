// The keys: sequences, fields that keep them, who has them when two want them.
import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import {
  listenForShortcuts,
  register,
  turnShortcuts,
  useShortcut,
  useShortcuts,
} from "@/app/shortcuts";

const undo: (() => void)[] = [];

function key(keys: string): () => void {
  const run = vi.fn();
  undo.push(register({ keys, label: keys, group: "Anywhere", run }));
  return run;
}

beforeEach(() => {
  undo.push(listenForShortcuts());
});

afterEach(() => {
  undo.splice(0).forEach((one) => one());
});

test("two keys one after the other are one shortcut", async () => {
  const [gallery, create, alone] = [key("g g"), key("g c"), key("c")];
  await userEvent.keyboard("gg");
  expect(gallery).toHaveBeenCalledOnce();
  await userEvent.keyboard("gc");
  expect(create).toHaveBeenCalledOnce();
  expect(alone).not.toHaveBeenCalled();
});

test("the second key comes too late after a second", () => {
  const gallery = key("g g");
  const press = (at: number): void => {
    const event = new KeyboardEvent("keydown", { key: "g", bubbles: true });
    Object.defineProperty(event, "timeStamp", { value: at });
    document.body.dispatchEvent(event);
  };
  press(1000);
  press(2500);
  expect(gallery).not.toHaveBeenCalled();
  press(2600);
  expect(gallery).toHaveBeenCalledOnce();
});

test("a field keeps its keys, and so do the browser's own combinations", async () => {
  const fresh = key("n");
  render(<textarea aria-label="Prompt" />);
  await userEvent.type(screen.getByLabelText("Prompt"), "new");
  expect(screen.getByLabelText("Prompt")).toHaveValue("new");
  fireEvent.keyDown(document.body, { key: "n", ctrlKey: true });
  expect(fresh).not.toHaveBeenCalled();
});

test("an open dialog keeps the keys of the page away", async () => {
  const fresh = key("n");
  render(
    <div role="dialog" aria-label="Keys">
      <button type="button">Close</button>
    </div>,
  );
  screen.getByRole("button").focus();
  await userEvent.keyboard("n");
  expect(fresh).not.toHaveBeenCalled();
});

test("they can be turned off, and on again", async () => {
  const fresh = key("n");
  turnShortcuts(false);
  await userEvent.keyboard("n");
  expect(fresh).not.toHaveBeenCalled();
  turnShortcuts(true);
  await userEvent.keyboard("n");
  expect(fresh).toHaveBeenCalledOnce();
});

test("the part that came last has the keys, and gives them back when it goes", async () => {
  const shell = key("/");
  const page = vi.fn();
  function Page() {
    useShortcut({ keys: "/", label: "Search here", group: "This page", run: page });
    return null;
  }
  const { unmount } = render(<Page />);
  await userEvent.keyboard("/");
  expect([page.mock.calls.length, vi.mocked(shell).mock.calls.length]).toEqual([1, 0]);
  unmount();
  await userEvent.keyboard("/");
  expect([page.mock.calls.length, vi.mocked(shell).mock.calls.length]).toEqual([1, 1]);
});

test("the list has each of the keys once, also those that an element sees to itself", () => {
  key("/");
  key("/");
  function List() {
    useShortcut({ keys: "mod+enter", label: "Submit", group: "This page" });
    return <output>{useShortcuts().map(({ keys }) => `${keys} `)}</output>;
  }
  render(<List />);
  expect(screen.getByRole("status")).toHaveTextContent(/^\/ mod\+enter$/);
});
