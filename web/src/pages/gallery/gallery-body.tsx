// What stands under the filters: the cards, or why there are none.
import { Button } from "@/components/ui/button";
import { EmptyGallery, GalleryError, GalleryLoading } from "@/pages/gallery/gallery-states";
import { GalleryGrid } from "@/pages/gallery/gallery-grid";
import type { GalleryQuery } from "@/pages/gallery/gallery-url";
import { SelectionBar } from "@/pages/gallery/selection-bar";
import { useGalleryJobs, type GalleryJobs } from "@/pages/gallery/use-gallery-jobs";
import { useHeldBack } from "@/pages/gallery/use-held-back";
import { useSelection } from "@/pages/gallery/use-selection";

interface GalleryBodyProps {
  query: GalleryQuery;
  onChange: (changed: Partial<GalleryQuery>) => void;
}

export function GalleryBody({ query, onChange }: GalleryBodyProps) {
  const jobs = useGalleryJobs(query);
  const { shown, newer, showNewer } = useHeldBack(jobs.items);
  const selection = useSelection(shown);
  // By itself once; after an error, when it is asked to.
  const moreIfThere = (): void => {
    if (jobs.older === "there") jobs.more();
  };
  if (jobs.status === "loading") return <GalleryLoading />;
  if (jobs.status === "error") return <GalleryError error={jobs.error} onAgain={jobs.again} />;
  if (jobs.items.length === 0 && jobs.older === "none")
    return <EmptyGallery query={query} onChange={onChange} />;
  return (
    <>
      <NewerJobs count={newer} onShow={showNewer} />
      <GalleryGrid
        items={shown}
        selection={selection}
        complete={jobs.older === "none"}
        onNearEnd={moreIfThere}
      />
      <Older jobs={jobs} />
      <SelectionBar items={shown} selection={selection} />
    </>
  );
}

/** New cards would move what one is looking at: further down, they wait until they are asked for. */
function NewerJobs({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <div
      role="status"
      className="pointer-events-none sticky top-32 z-20 flex h-0 justify-center overflow-visible"
    >
      {count > 0 && (
        <Button
          size="sm"
          onClick={onShow}
          className="pointer-events-auto animate-rise-in rounded-full shadow-lg"
        >
          {count === 1 ? "1 new job" : `${count} new jobs`}
        </Button>
      )}
    </div>
  );
}

/** What stands below the last card, once it is the last: until then, it would move with each page. */
function Older({ jobs }: { jobs: GalleryJobs }) {
  if (jobs.older === "there") return null;
  if (jobs.older === "loading") {
    return (
      <p className="pointer-events-none fixed inset-x-0 bottom-22 z-20 mx-auto w-fit animate-fade-in rounded-full bg-popover/90 px-3 py-1 text-xs text-muted-foreground shadow-md">
        Reading older jobs…
      </p>
    );
  }
  return (
    <div className="grid min-h-24 place-items-center text-sm text-muted-foreground">
      {jobs.older === "none" && <p>No older jobs.</p>}
      {jobs.older === "error" && (
        <div className="flex items-center gap-3">
          <p>Older jobs could not be read.</p>
          <Button variant="secondary" size="sm" onClick={jobs.more}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}
