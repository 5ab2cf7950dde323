// Which page is at which URL? Each is loaded when somebody goes there, or is about to.
//
// The edge answers at the same URLs: APP_URLS in services/edge/pages.py.
import { lazy } from "react";
import { Route, Routes } from "react-router";

import { AppShell } from "@/app/app-shell";
import { NotFound } from "@/app/not-found";
import { loadCreate, loadGallery, loadJob, loadOperations } from "@/app/page-loaders";

const CreatePage = lazy(loadCreate);
const GalleryPage = lazy(loadGallery);
const JobPage = lazy(loadJob);
const OperationsPage = lazy(loadOperations);

export function Pages() {
  return (
    <Routes>
      <Route element={<AppShell />}>
        <Route index element={<CreatePage />} />
        <Route path="gallery" element={<GalleryPage />} />
        <Route path="jobs/:jobId" element={<JobPage />} />
        <Route path="operations" element={<OperationsPage />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
