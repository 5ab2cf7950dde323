// What does a value of a file input refer to, and can the page show it?
import { apiUrl, jobPath } from "@/api/urls";

export interface FileReference {
  /** For people. */
  label: string;
  /** A small picture of it, on the API's origin. undefined where there is none: nothing is loaded
   * from elsewhere. */
  thumbnail: string | undefined;
  /** The page of the job that made it. */
  page: string | undefined;
}

export function referenceOf(value: string): FileReference {
  const [scheme, rest] = split(value);
  if (scheme === "upload")
    return { label: "Uploaded file", thumbnail: uploadContent(rest), page: undefined };
  if (scheme === "artifact") return artifact(rest);
  if (scheme === "data")
    return { label: "Data", thumbnail: isPicture(rest) ? value : undefined, page: undefined };
  return { label: hostOf(value), thumbnail: undefined, page: undefined };
}

/** Whether a text can be meant as a reference to a file. */
export function isReference(text: string): boolean {
  return /^(https:\/\/[^\s/]\S*|upload:\S+|artifact:\S+\/\d+|data:\S+)$/.test(text);
}

function artifact(rest: string): FileReference {
  const [jobId = "", index = "0"] = rest.split("/");
  return {
    label: `Result ${Number(index) + 1} of a job`,
    thumbnail: apiUrl(`/api/v1/jobs/${encodeURIComponent(jobId)}/artifacts/${index}/preview`),
    page: jobPath(jobId),
  };
}

function uploadContent(id: string): string {
  return apiUrl(`/api/v1/uploads/${encodeURIComponent(id)}/content`);
}

function isPicture(rest: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif|bmp)[;,]/.test(rest);
}

function split(value: string): [string, string] {
  const at = value.indexOf(":");
  return [value.slice(0, at).toLowerCase(), value.slice(at + 1)];
}

function hostOf(value: string): string {
  return URL.canParse(value) ? new URL(value).hostname : value;
}
