// Everything that was ever asked for, newest first, and live.
import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { usePageTitle } from "@/app/page-title";
import { JobActionsProvider } from "@/jobs/job-actions";
import { GalleryBody } from "@/pages/gallery/gallery-body";
import { GalleryToolbar } from "@/pages/gallery/gallery-toolbar";
import { readQuery, writeQuery, type GalleryQuery } from "@/pages/gallery/gallery-url";

export function GalleryPage() {
  usePageTitle("Gallery");
  const [params, setParams] = useSearchParams();
  const written = writeQuery(readQuery(params)).toString();
  const query = useMemo(() => readQuery(new URLSearchParams(written)), [written]);
  const change = (changed: Partial<GalleryQuery>): void => {
    setParams(writeQuery({ ...query, ...changed }), { replace: true, preventScrollReset: true });
    window.scrollTo({ top: 0 });
  };
  return (
    <JobActionsProvider>
      <div className="mx-auto flex w-full max-w-screen-2xl flex-1 flex-col px-4 sm:px-6">
        <h1 className="sr-only">Gallery</h1>
        <GalleryToolbar query={query} onChange={change} />
        <GalleryBody key={written} query={query} onChange={change} />
      </div>
    </JobActionsProvider>
  );
}
