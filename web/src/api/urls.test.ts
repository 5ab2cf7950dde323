// Files come from where the API is, whatever the service calls itself.
import { afterEach, expect, test, vi } from "vitest";

const GIVEN = "https://media.example.com/api/v1/jobs/1/artifacts/0?version=2";

async function urls(): Promise<typeof import("@/api/urls")> {
  vi.resetModules();
  return import("@/api/urls");
}

afterEach(() => {
  vi.unstubAllEnvs();
});

test("an artifact comes from the page's own origin", async () => {
  const { mediaUrl, apiUrl } = await urls();
  const here = window.location.origin;
  expect(mediaUrl(GIVEN)).toBe(`${here}/api/v1/jobs/1/artifacts/0?version=2`);
  expect(apiUrl("/api/v1/uploads")).toBe(`${here}/api/v1/uploads`);
  expect(mediaUrl("")).toBeUndefined();
});

test("no path leads to another host", async () => {
  const { mediaUrl } = await urls();
  const here = window.location.origin;
  expect(mediaUrl("https://media.example.com//evil.example/a?b")).toBe(`${here}//evil.example/a?b`);
  expect(mediaUrl("javascript:alert(1)")).toBe(`${here}/alert(1)`);
});

test("a page that lives elsewhere takes it from the API's origin", async () => {
  vi.stubEnv("VITE_API_URL", "https://api.example.com/");
  const { mediaUrl } = await urls();
  expect(mediaUrl(GIVEN)).toBe("https://api.example.com/api/v1/jobs/1/artifacts/0?version=2");
});
