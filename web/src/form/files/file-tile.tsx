// A file that an input says, and its place among others.
import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, AudioLines, FileBox, Film, Globe, X } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { Button } from "@/components/ui/button";
import { referenceOf, type FileReference } from "@/form/files/file-reference";
import { isUpload, uploadQuery } from "@/form/files/queries";
import { sizeText, Tile } from "@/form/files/tile";
import type { Upload } from "@/gen/mediagen/v1/input_service_pb";

interface FileTileProps {
  uri: string;
  /** Absent where there can only be one. */
  place: { index: number; of: number } | undefined;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

export function FileTile({ uri, place, onMove, onRemove }: FileTileProps) {
  const { data: upload, isError } = useQuery(uploadQuery(uri));
  const reference = referenceOf(uri);
  const name = upload === undefined || upload.fileName === "" ? reference.label : upload.fileName;
  return (
    <Tile
      picture={<Picture key={uri} uri={uri} reference={reference} upload={upload} />}
      name={reference.page ? <Link to={reference.page}>{name}</Link> : name}
      details={isError ? <Gone /> : detailsOf(upload, uri)}
      actions={
        <>
          {place !== undefined && place.of > 1 && (
            <Places place={place} name={name} onMove={onMove} />
          )}
          <Button variant="ghost" size="icon-sm" aria-label={`Remove ${name}`} onClick={onRemove}>
            <X aria-hidden />
          </Button>
        </>
      }
    />
  );
}

function Places({
  place,
  name,
  onMove,
}: {
  place: { index: number; of: number };
  name: string;
  onMove: (by: -1 | 1) => void;
}) {
  const { index, of } = place;
  return (
    <>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label={`Move ${name} up, from place ${index + 1}`}
        disabled={index === 0}
        onClick={() => onMove(-1)}
      >
        <ArrowUp aria-hidden />
      </Button>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label={`Move ${name} down, from place ${index + 1}`}
        disabled={index === of - 1}
        onClick={() => onMove(1)}
      >
        <ArrowDown aria-hidden />
      </Button>
    </>
  );
}

interface PictureProps {
  uri: string;
  reference: FileReference;
  upload: Upload | undefined;
}

function Picture({ uri, reference, upload }: PictureProps) {
  const [failed, setFailed] = useState(false);
  const kind = upload?.mediaType.split("/")[0];
  if (kind === "video") return <Film aria-hidden />;
  if (kind === "audio") return <AudioLines aria-hidden />;
  const shows = reference.thumbnail !== undefined && (!isUpload(uri) || kind === "image");
  if (shows && !failed)
    return (
      <img
        src={reference.thumbnail}
        alt=""
        className="size-full object-cover"
        onError={() => setFailed(true)}
      />
    );
  return uri.startsWith("http") ? <Globe aria-hidden /> : <FileBox aria-hidden />;
}

function Gone() {
  return <span className="text-destructive">No longer kept. Choose it again.</span>;
}

function detailsOf(upload: Upload | undefined, uri: string): string {
  if (upload !== undefined) return `${upload.mediaType}, ${sizeText(upload.sizeBytes)}`;
  return uri.startsWith("https:") ? "From the web" : "";
}
