// One result, as large as there is room.
import { Download, FileBox, ImageOff } from "lucide-react";
import { useState, type CSSProperties, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";
import { fileName, fileUrl, isDeleted, mediaKind, previewUrl } from "@/jobs/media";
import { exactly } from "@/jobs/spans";
import { titleOf } from "@/jobs/words";
import { millisOf } from "@/live/job-order";
import { isText, TextFile } from "@/pages/job/viewer/text-file";

interface ArtifactViewProps {
  job: Job;
  artifact: Artifact;
  /** Shows it on the whole screen. Absent where it is there. */
  onOpen?: () => void;
}

const FRAME =
  "grid max-h-[72dvh] min-h-40 w-full place-items-center overflow-hidden rounded-xl bg-muted";

export function ArtifactView({ artifact, job, onOpen }: ArtifactViewProps) {
  const [broken, setBroken] = useState(false);
  if (isDeleted(artifact)) return <Deleted artifact={artifact} />;
  const kind = broken ? "other" : mediaKind(artifact);
  const onError = (): void => setBroken(true);
  if (kind === "image")
    return <Picture artifact={artifact} name={titleOf(job)} onError={onError} onOpen={onOpen} />;
  if (kind === "video") return <Film artifact={artifact} onError={onError} />;
  if (kind === "audio") return <Sound artifact={artifact} onError={onError} />;
  if (isText(artifact)) return <TextFile artifact={artifact} />;
  return <OtherFile artifact={artifact} job={job} />;
}

interface MediaProps {
  artifact: Artifact;
  onError: () => void;
}

function Picture({
  artifact,
  name,
  onError,
  onOpen,
}: MediaProps & { name: string; onOpen: (() => void) | undefined }) {
  return (
    <button
      type="button"
      aria-label="Show it on the full screen"
      className={`${FRAME} cursor-zoom-in!`}
      onClick={onOpen}
    >
      <img
        src={fileUrl(artifact)}
        alt={name}
        style={roomOf(artifact)}
        className="max-h-[72dvh] max-w-full object-contain"
        onError={onError}
      />
    </button>
  );
}

function Film({ artifact, onError }: MediaProps) {
  return (
    <div className={FRAME}>
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- what was made has no words for it */}
      <video
        src={fileUrl(artifact)}
        poster={previewUrl(artifact)}
        controls
        loop
        playsInline
        preload="metadata"
        style={roomOf(artifact)}
        className="max-h-[72dvh] max-w-full"
        onError={onError}
      />
    </div>
  );
}

function Sound({ artifact, onError }: MediaProps) {
  return (
    <div className={`${FRAME} px-6`}>
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- what was made has no words for it */}
      <audio
        src={fileUrl(artifact)}
        controls
        preload="metadata"
        className="w-full max-w-xl"
        onError={onError}
      />
    </div>
  );
}

/** All the room there is, kept for it before it is there. */
function roomOf({ height, width }: Artifact): CSSProperties | undefined {
  if (width === 0 || height === 0) return undefined;
  return {
    aspectRatio: `${width} / ${height}`,
    width: `min(100%, calc(72dvh * ${width / height}))`,
  };
}

function OtherFile({ artifact, job }: { artifact: Artifact; job: Job }) {
  return (
    <Message
      icon={<FileBox className="size-8" aria-hidden />}
      title="A file that is not shown here"
    >
      <p>{artifact.mediaType}</p>
      <Button asChild className="mt-3">
        <a href={fileUrl(artifact)} download={fileName(job, artifact)}>
          <Download aria-hidden />
          Download it
        </a>
      </Button>
    </Message>
  );
}

function Deleted({ artifact }: { artifact: Artifact }) {
  return (
    <Message icon={<ImageOff className="size-8" aria-hidden />} title="This result was deleted">
      <p>
        It had been kept long enough: its bytes were deleted on{" "}
        {exactly(millisOf(artifact.deleteTime))}. What is known of it stays.
      </p>
    </Message>
  );
}

interface MessageProps {
  icon: ReactNode;
  title: string;
  children: ReactNode;
}

function Message({ children, icon, title }: MessageProps) {
  return (
    <div className={`${FRAME} py-16`}>
      <div className="grid max-w-sm justify-items-center gap-2 px-6 text-center text-sm text-muted-foreground">
        {icon}
        <p className="text-base font-medium text-foreground">{title}</p>
        {children}
      </div>
    </div>
  );
}
