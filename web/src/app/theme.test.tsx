// Light or dark: the system's word, a choice over it, other tabs.
import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";

const system = Object.assign(new EventTarget(), { matches: true });

async function theme(): Promise<typeof import("@/app/theme")> {
  vi.resetModules();
  return import("@/app/theme");
}

function isDark(): boolean {
  return document.documentElement.classList.contains("dark");
}

beforeEach(() => {
  localStorage.clear();
  system.matches = true;
  vi.spyOn(window, "matchMedia").mockReturnValue(system as unknown as MediaQueryList);
});

test("the page follows the system, also when it changes", async () => {
  (await theme()).followTheme();
  expect(isDark()).toBe(true);
  system.matches = false;
  system.dispatchEvent(new Event("change"));
  expect(isDark()).toBe(false);
});

test("a choice wins over the system and is kept, until it is given back", async () => {
  const { followTheme, setTheme, useTheme } = await theme();
  followTheme();
  const { result } = renderHook(useTheme);
  act(() => setTheme("light"));
  expect([result.current, isDark()]).toEqual(["light", false]);
  (await theme()).followTheme();
  expect(isDark()).toBe(false);
  act(() => setTheme("system"));
  expect([result.current, isDark(), localStorage.length]).toEqual(["system", true, 0]);
});

test("what another tab chose holds here", async () => {
  const { followTheme, useTheme } = await theme();
  followTheme();
  const { result } = renderHook(useTheme);
  localStorage.setItem("mediagen.theme", "light");
  act(() => {
    window.dispatchEvent(new StorageEvent("storage", { key: "mediagen.theme" }));
  });
  expect([result.current, isDark()]).toEqual(["light", false]);
});
