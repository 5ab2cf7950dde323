// A result in small: a picture, a video that plays under the pointer, a sound, a file.
import { FileText, ImageOff, Trash2, type LucideIcon } from "lucide-react";
import { useState } from "react";

import type { Artifact } from "@/gen/mediagen/v1/job_pb";
import { AudioTile } from "@/jobs/audio-tile";
import { fileUrl, isDeleted, mediaKind, previewUrl } from "@/jobs/media";
import { VideoTile } from "@/jobs/video-tile";

export interface ThumbnailProps {
  artifact: Artifact;
  /** What it shows: the prompt. */
  alt: string;
  /** The pointer is on it: a video plays. */
  hovered?: boolean;
}

export function MediaThumbnail(props: ThumbnailProps) {
  const { artifact } = props;
  if (isDeleted(artifact))
    return <NoMedia Icon={Trash2} words="Deleted: it was kept long enough" />;
  switch (mediaKind(artifact)) {
    case "image":
      return <ImageTile {...props} />;
    case "video":
      return <VideoTile {...props} />;
    case "audio":
      return <AudioTile {...props} />;
    case "other":
      return <NoMedia Icon={FileText} words={artifact.mediaType || "A file"} />;
  }
}

/** The picture itself where there is no small one. */
function ImageTile({ artifact, alt }: ThumbnailProps) {
  const [broken, setBroken] = useState(false);
  if (broken) return <NoMedia Icon={ImageOff} words="The picture can not be shown" />;
  return (
    <img
      src={previewUrl(artifact) ?? fileUrl(artifact)}
      alt={alt}
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setBroken(true)}
      className="absolute inset-0 size-full object-cover"
    />
  );
}

/** Something to look at where there is nothing to see. */
export function NoMedia({ Icon, words }: { Icon: LucideIcon; words: string }) {
  return (
    <div className="absolute inset-0 grid place-content-center justify-items-center gap-2 p-3 text-center text-xs text-balance text-muted-foreground">
      <Icon className="size-7" strokeWidth={1.5} aria-hidden />
      {words}
    </div>
  );
}
