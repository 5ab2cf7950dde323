// Where do pictures and files come from? From the API's origin, whatever name it goes by.
import { API_ORIGIN } from "@/api/origin";

/** A path of the REST API: `apiUrl("/api/v1/uploads")`. */
export function apiUrl(path: string): string {
  return new URL(path, API_ORIGIN).href;
}

/**
 * An absolute URL that the API gave (of an artifact, a preview, a cover, an upload), on the origin
 * where this page calls the API. The service may know itself by another name, and the page's policy
 * allows no other. undefined for an empty one.
 */
export function mediaUrl(given: string): string | undefined {
  if (given === "") return undefined;
  const { pathname, search } = new URL(given, API_ORIGIN);
  // Part by part: as a text, a path that begins with two slashes would name another host.
  const here = new URL(API_ORIGIN);
  here.pathname = pathname;
  here.search = search;
  return here.href;
}

/** The page of a job, for <Link>. */
export function jobPath(jobId: string): string {
  return `/jobs/${encodeURIComponent(jobId)}`;
}
