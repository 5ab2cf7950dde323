// How is each page loaded, and how ahead of time?
import type { ComponentType } from "react";

/** As React's `lazy` wants it. A second call loads nothing anew. */
export type LoadPage = () => Promise<{ default: ComponentType }>;

export const loadCreate: LoadPage = async () => ({
  default: (await import("@/pages/create/create-page")).CreatePage,
});

export const loadGallery: LoadPage = async () => ({
  default: (await import("@/pages/gallery/gallery-page")).GalleryPage,
});

export const loadJob: LoadPage = async () => ({
  default: (await import("@/pages/job/job-page")).JobPage,
});

export const loadOperations: LoadPage = async () => ({
  default: (await import("@/pages/operations/operations-page")).OperationsPage,
});

/** Somebody points at a link: the page will be there when they click. If not, the click tells. */
export function loadAhead(load: LoadPage): void {
  load().catch(() => undefined);
}
