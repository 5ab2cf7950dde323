// A video in small: its poster, and the film itself while the pointer is on it.
import { Play } from "lucide-react";

import type { ThumbnailProps } from "@/jobs/media-thumbnail";
import { fileUrl, lengthOf, previewUrl } from "@/jobs/media";
import { stopwatch } from "@/jobs/spans";
import { NO_HOVER, REDUCED_MOTION, useMediaQuery } from "@/lib/media-query";

export function VideoTile({ artifact, alt, hovered = false }: ThumbnailProps) {
  const still = useMediaQuery(REDUCED_MOTION);
  const noHover = useMediaQuery(NO_HOVER);
  const poster = previewUrl(artifact);
  const length = lengthOf(artifact);
  const fill = "absolute inset-0 size-full object-cover";
  return (
    <div className="absolute inset-0">
      {poster === undefined ? (
        // A moment of it stands in for the poster; `muted`, as it never speaks here.
        <video
          src={`${fileUrl(artifact)}#t=0.1`}
          preload="metadata"
          muted
          playsInline
          aria-label={alt}
          className={fill}
        />
      ) : (
        <img src={poster} alt={alt} loading="lazy" decoding="async" className={fill} />
      )}
      {hovered && !still && !noHover && (
        <video
          src={fileUrl(artifact)}
          muted
          autoPlay
          loop
          playsInline
          aria-hidden
          className={fill}
        />
      )}
      <span className="absolute bottom-2 left-2 flex items-center gap-1 rounded-md bg-black/65 px-1.5 py-0.5 text-xs font-medium text-white tabular-nums">
        <Play className="size-3 fill-current" aria-hidden />
        <span className="sr-only">Video</span>
        {length !== undefined && stopwatch(length)}
      </span>
    </div>
  );
}
