// What the gallery shows when there is nothing to show, not yet, or because something broke.
import { ImagePlus } from "lucide-react";
import { Link } from "react-router";

import { problemOf } from "@/api/problem";
import { PageMessage } from "@/app/page-message";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { EVERYTHING, isEverything, type GalleryQuery } from "@/pages/gallery/gallery-url";

const SHAPES = [1, 1.5, 0.75, 1, 1.78, 1, 0.67, 1.33, 1, 1.5, 1, 0.75];

export function GalleryLoading() {
  return (
    <div role="status" className="flex flex-wrap gap-3.5">
      <span className="sr-only">The jobs are being read.</span>
      {SHAPES.map((ratio, place) => (
        <Skeleton
          key={place}
          className="mb-12 h-44 grow rounded-xl sm:h-60"
          style={{ flexBasis: `${ratio * 13}rem` }}
        />
      ))}
    </div>
  );
}

export function GalleryError({ error, onAgain }: { error: Error | null; onAgain: () => void }) {
  return (
    <PageMessage
      level={2}
      title="The jobs could not be read"
      actions={<Button onClick={onAgain}>Try again</Button>}
    >
      <p role="alert">{problemOf(error).message}</p>
    </PageMessage>
  );
}

interface EmptyGalleryProps {
  query: GalleryQuery;
  onChange: (changed: Partial<GalleryQuery>) => void;
}

export function EmptyGallery({ query, onChange }: EmptyGalleryProps) {
  if (isEverything(query)) {
    return (
      <PageMessage
        level={2}
        title="Nothing here yet"
        actions={
          <Button asChild>
            <Link to="/">
              <ImagePlus aria-hidden />
              Create something
            </Link>
          </Button>
        }
      >
        <p>What you ask for shows up here as it is made.</p>
      </PageMessage>
    );
  }
  return (
    <PageMessage
      level={2}
      title="No job matches"
      actions={<Button onClick={() => onChange(EVERYTHING)}>Show everything</Button>}
    >
      <p>None of the jobs is as the filters want it.</p>
    </PageMessage>
  );
}
