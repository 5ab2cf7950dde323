// All results of a job, small, to choose one.
import { AudioLines, FileBox, Film, ImageIcon, ImageOff, type LucideIcon } from "lucide-react";

import type { Artifact } from "@/gen/mediagen/v1/job_pb";
import { fileUrl, isDeleted, mediaKind, previewUrl } from "@/jobs/media";
import { cn } from "@/lib/cn";

interface FilmstripProps {
  artifacts: readonly Artifact[];
  place: number;
  onChoose: (place: number) => void;
}

const ICONS: Readonly<Record<string, LucideIcon>> = {
  image: ImageIcon,
  video: Film,
  audio: AudioLines,
};

export function Filmstrip({ artifacts, onChoose, place }: FilmstripProps) {
  return (
    <ul aria-label="All results" className="flex scroll-slim gap-2 overflow-x-auto p-1">
      {artifacts.map((artifact, index) => (
        <li key={artifact.index} className="shrink-0">
          <button
            type="button"
            aria-label={`Result ${index + 1} of ${artifacts.length}`}
            aria-pressed={index === place}
            onClick={() => onChoose(index)}
            className={cn(
              "grid size-18 place-items-center overflow-hidden rounded-lg bg-muted text-muted-foreground opacity-75 transition-opacity hover:opacity-100",
              index === place &&
                "opacity-100 ring-2 ring-primary ring-offset-2 ring-offset-background",
            )}
          >
            <Small artifact={artifact} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Small({ artifact }: { artifact: Artifact }) {
  if (isDeleted(artifact)) return <ImageOff className="size-5" aria-hidden />;
  const kind = mediaKind(artifact);
  const picture = previewUrl(artifact) ?? (kind === "image" ? fileUrl(artifact) : undefined);
  if (picture !== undefined)
    return <img src={picture} alt="" loading="lazy" className="size-full object-cover" />;
  const Icon = ICONS[kind] ?? FileBox;
  return <Icon className="size-5" aria-hidden />;
}
