// A sound in small: it plays in place. Only one of them speaks at a time.
import { Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import type { ThumbnailProps } from "@/jobs/media-thumbnail";
import { fileUrl, lengthOf } from "@/jobs/media";
import { stopwatch } from "@/jobs/spans";
import { cn } from "@/lib/cn";

let speaking: HTMLAudioElement | null = null;

/** Bars that look like a sound; the same for the same sound. */
function barsOf(sha256: string): number[] {
  const digits = sha256.padEnd(40, "7");
  return Array.from({ length: 40 }, (_, at) => 0.2 + (0.8 * parseInt(digits.charAt(at), 16)) / 15);
}

export function AudioTile({ artifact, alt }: ThumbnailProps) {
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [position, setPosition] = useState(0);
  const length = lengthOf(artifact);
  useEffect(() => {
    const element = audio.current;
    return () => {
      if (speaking === element) speaking = null;
    };
  }, []);
  const toggle = (): void => {
    const element = audio.current;
    if (element === null) return;
    if (!element.paused) {
      element.pause();
      return;
    }
    if (speaking !== element) speaking?.pause();
    speaking = element;
    element.play().catch(() => setPlaying(false)); // the browser shows nothing to play
  };
  const bars = barsOf(artifact.sha256);
  const done = length ? (position * 1000) / length : 0;
  return (
    <div className="@container absolute inset-0 grid grid-cols-1 grid-rows-[1fr_auto] gap-2 bg-gradient-to-br from-chart-5/20 to-chart-1/25 p-3">
      <div className="flex min-h-0 items-center justify-center gap-[2px]" aria-hidden>
        {bars.map((height, place) => (
          <span
            key={place}
            className={cn(
              // Where there is little room, every other one has to do.
              "w-1 min-w-0 shrink rounded-full @max-[15rem]:even:hidden",
              place / bars.length < done ? "bg-primary" : "bg-foreground/25",
            )}
            style={{ height: `${height * 70}%` }}
          />
        ))}
      </div>
      <div className="flex items-center gap-2">
        <Button
          size="icon-sm"
          className="relative z-10 rounded-full"
          aria-label={playing ? `Pause: ${alt}` : `Play: ${alt}`}
          onClick={toggle}
        >
          {playing ? (
            <Pause className="fill-current" aria-hidden />
          ) : (
            <Play className="fill-current" aria-hidden />
          )}
        </Button>
        <span className="text-xs tabular-nums">
          {stopwatch(playing ? position * 1000 : (length ?? 0))}
        </span>
      </div>
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- generated sounds have none */}
      <audio
        ref={audio}
        src={fileUrl(artifact)}
        preload="none"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setPosition(0)}
        onTimeUpdate={(event) => setPosition(event.currentTarget.currentTime)}
      />
    </div>
  );
}
