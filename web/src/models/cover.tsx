// The picture of a model: its own, or one made from its name where it has none.
import { useId, useState } from "react";

import { mediaUrl } from "@/api/urls";
import { cn } from "@/lib/cn";
import { coverArt } from "@/models/cover-art";

interface CoverProps {
  model: { name: string; coverUrl: string };
  className?: string;
}

/** It says nothing that the name beside it does not: readers of the screen pass it by. */
export function Cover({ model, className }: CoverProps) {
  const source = mediaUrl(model.coverUrl);
  const [failed, setFailed] = useState<string>();
  return (
    <div aria-hidden className={cn("relative overflow-hidden rounded-lg bg-muted", className)}>
      <Art name={model.name} />
      {source !== undefined && failed !== source && (
        <img
          src={source}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setFailed(source)}
          className="absolute inset-0 size-full object-cover"
        />
      )}
    </div>
  );
}

function Art({ name }: { name: string }) {
  const id = useId();
  const { ground, glows, angle } = coverArt(name);
  return (
    <svg viewBox="0 0 100 100" preserveAspectRatio="xMidYMid slice" className="absolute size-full">
      <defs>
        <linearGradient id={`${id}ground`} gradientTransform={`rotate(${angle} 0.5 0.5)`}>
          <stop offset="0" stopColor={ground[0]} />
          <stop offset="1" stopColor={ground[1]} />
        </linearGradient>
        {glows.map(({ colour }, index) => (
          <radialGradient key={index} id={`${id}${index}`}>
            <stop offset="0" stopColor={colour} stopOpacity="0.95" />
            <stop offset="1" stopColor={colour} stopOpacity="0" />
          </radialGradient>
        ))}
      </defs>
      <rect width="100" height="100" fill={`url(#${id}ground)`} />
      {glows.map(({ x, y, radius }, index) => (
        <circle key={index} cx={x} cy={y} r={radius} fill={`url(#${id}${index})`} />
      ))}
    </svg>
  );
}
