// What was typed is there after a reload, without secrets, and within bounds.
import { afterEach, expect, it, vi } from "vitest";

import { EMPTY_DRAFT, loadDraft, saveDraft } from "./draft";
import { formOf } from "./form-model";
import { NO_OPTIONS } from "./job-options";
import { PICTURES } from "./schemas.fixture";
import { withValue } from "./values";

const form = formOf(PICTURES);
const draft = (values: Record<string, string>) => ({ values, options: NO_OPTIONS });

afterEach(() => localStorage.clear());

it("is kept for each model", () => {
  saveDraft("a/one", form, draft({ prompt: "a fox" }));
  saveDraft("a/two", form, { values: {}, options: { ...NO_OPTIONS, labels: "a=b" } });
  expect(loadDraft("a/one").values).toEqual({ prompt: "a fox" });
  expect(loadDraft("a/two").options.labels).toBe("a=b");
  expect(loadDraft("a/three")).toEqual(EMPTY_DRAFT);
});

it("never has a secret", () => {
  saveDraft("a/one", form, draft({ prompt: "a fox", api_token: "hush" }));
  expect(JSON.stringify(Object.entries(localStorage))).not.toContain("hush");
});

it("never has a list of secrets", () => {
  const items = { type: "string", "x-cog-secret": true };
  const keys = formOf({ properties: { keys: { type: "array", items } } });
  saveDraft("a/one", keys, { values: { keys: ["hush"] }, options: NO_OPTIONS });
  expect(localStorage.length).toBe(0);
});

it("keeps an input that is called as something of every object", () => {
  const text = { type: "string" };
  const odd = formOf({ properties: { ["__proto__"]: text, constructor: text } });
  const values = withValue(withValue({}, "__proto__", "a"), "constructor", "b");
  saveDraft("a/odd", odd, { values, options: NO_OPTIONS });
  expect(Object.entries(loadDraft("a/odd").values)).toEqual(Object.entries(values));
});

it("leaves out what is too large, and keeps the rest", () => {
  saveDraft("a/one", form, draft({ prompt: "a fox", image: `data:${"x".repeat(400_000)}` }));
  expect(loadDraft("a/one").values).toEqual({ prompt: "a fox" });
});

it("is kept for the newest models only", () => {
  vi.useFakeTimers();
  for (let model = 0; model < 15; model += 1) {
    vi.advanceTimersByTime(1000);
    saveDraft(`a/${model}`, form, draft({ prompt: "a fox" }));
  }
  vi.useRealTimers();
  expect(localStorage.length).toBe(12);
  expect(loadDraft("a/2")).toEqual(EMPTY_DRAFT);
  expect(loadDraft("a/14").values).toEqual({ prompt: "a fox" });
});

it("is forgotten when there is nothing in it", () => {
  saveDraft("a/one", form, draft({ prompt: "a fox" }));
  saveDraft("a/one", form, EMPTY_DRAFT);
  expect(localStorage.length).toBe(0);
});

it("is empty where the browser has kept nonsense", () => {
  localStorage.setItem("mediagen.draft:a/one", "{");
  expect(loadDraft("a/one")).toEqual(EMPTY_DRAFT);
});

it("lasts as long as the page where the browser keeps nothing", () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new Error("full");
  });
  saveDraft("a/full", form, draft({ prompt: "a fox" }));
  expect(loadDraft("a/full").values).toEqual({ prompt: "a fox" });
});
