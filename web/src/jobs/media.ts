// What kind of thing is a result, and where are its bytes and its small picture?
import { durationMs } from "@bufbuild/protobuf/wkt";

import { mediaUrl } from "@/api/urls";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";

export type MediaKind = "image" | "video" | "audio" | "other";

export function mediaKind({ mediaType }: Artifact): MediaKind {
  const [kind] = mediaType.split("/");
  return kind === "image" || kind === "video" || kind === "audio" ? kind : "other";
}

/** Its bytes were kept long enough. */
export function isDeleted(artifact: Artifact): boolean {
  return artifact.deleteTime !== undefined;
}

export function previewUrl({ preview }: Artifact): string | undefined {
  return preview && mediaUrl(preview.url);
}

export function fileUrl(artifact: Artifact): string {
  return mediaUrl(artifact.url) ?? "";
}

/** Milliseconds; undefined where it has no length. */
export function lengthOf({ duration }: Artifact): number | undefined {
  return duration && durationMs(duration);
}

/** Those whose bytes can be had. */
export function downloadable(jobs: readonly Job[]): { job: Job; artifact: Artifact }[] {
  return jobs.flatMap((job) =>
    job.artifacts.filter((one) => !isDeleted(one)).map((artifact) => ({ job, artifact })),
  );
}

/** What the subtype of a media type does not say by itself; as the Python client has it. */
const SUFFIXES: Readonly<Record<string, string>> = {
  "audio/mpeg": "mp3",
  "audio/x-wav": "wav",
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "model/gltf-binary": "glb",
  "text/plain": "txt",
  "video/quicktime": "mov",
};

/** "0198…-0.webp": the job, the place in it, and what it is. */
export function fileName({ jobId }: Job, { index, mediaType }: Artifact): string {
  const [kind = ""] = mediaType.toLowerCase().split(";");
  const [, subtype = ""] = kind.trim().split("/");
  return `${jobId}-${index}.${SUFFIXES[kind.trim()] ?? (subtype.replace(/^x-/, "") || "bin")}`;
}

/** The text that a model returned beside or instead of files. */
export function textOutput({ output }: Job): string | undefined {
  if (output?.kind.case === "stringValue") return output.kind.value;
  if (output?.kind.case !== "listValue") return undefined;
  const parts = output.kind.value.values.map(({ kind }) =>
    kind.case === "stringValue" ? kind.value : undefined,
  );
  return parts.includes(undefined) || parts.length === 0 ? undefined : parts.join("");
}

/** The page of a job, as one gives it to others. */
export function pageUrl(path: string): string {
  return new URL(path, window.location.href).href;
}
