// What if a newer page was installed while this one was open, and its parts are gone?

/** A part of the page can not be loaded: takes the newer page, if there is one. */
export function comeBackAfterDeployment(): void {
  window.addEventListener("vite:preloadError", () => void reloadIfReplaced());
}

async function reloadIfReplaced(): Promise<void> {
  const answer = await fetch(import.meta.env.BASE_URL, { cache: "no-store" }).catch(() => null);
  if (answer?.ok !== true) return; // only the connection is gone
  const page = await answer.text();
  // The name of this very script has a hash of what is in it.
  if (!page.includes(new URL(import.meta.url).pathname)) window.location.reload();
}
