// How does a file of the reader's get to the service, and how far is it?
//
// By XMLHttpRequest: fetch does not tell how much of a body has left.
import { fromJson } from "@bufbuild/protobuf";
import type { JsonValue } from "@bufbuild/protobuf";

import { apiUrl } from "@/api/urls";
import { UploadSchema, type Upload } from "@/gen/mediagen/v1/input_service_pb";

/** The service gives an upload as long. */
const LONGEST_MS = 600_000;
const LONGEST_NAME = 255;

export class UploadRefused extends Error {}

export function uploadFile(
  file: File,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<Upload> {
  const query = new URLSearchParams({ file_name: fileName(file) });
  const request = new XMLHttpRequest();
  request.open("POST", apiUrl(`/api/v1/uploads?${query.toString()}`));
  request.timeout = LONGEST_MS;
  request.setRequestHeader("content-type", file.type || "application/octet-stream");
  request.upload.onprogress = ({ loaded, total }) => {
    if (total > 0) onProgress(Math.round((loaded / total) * 100));
  };
  signal.addEventListener("abort", () => request.abort(), { once: true });
  return new Promise((resolve, reject) => {
    request.onload = () => {
      try {
        resolve(answerOf(request));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const failed = (words: string) => () => reject(new UploadRefused(words));
    request.onerror = failed("The file did not arrive. Try again.");
    request.ontimeout = failed("The upload took too long.");
    request.onabort = failed("The upload was stopped.");
    request.send(file);
  });
}

function answerOf({ status, responseText }: XMLHttpRequest): Upload {
  const body = parsed(responseText);
  if (status >= 200 && status < 300)
    return fromJson(UploadSchema, body, { ignoreUnknownFields: true });
  throw new UploadRefused(messageOf(body) ?? `The file was refused (${status}).`);
}

function messageOf(body: JsonValue): string | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const { message } = body;
  if (typeof message !== "string" || message === "") return undefined;
  const [first = ""] = message;
  return first.toUpperCase() + message.slice(1);
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

/** A name that the service takes: no control characters, no slashes, not too long. */
function fileName({ name }: File): string {
  return name.replace(/[\p{Cc}/\\]/gu, "").slice(-LONGEST_NAME);
}
