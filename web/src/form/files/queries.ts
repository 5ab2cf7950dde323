// What is known of a file that was uploaded?
import { queryOptions } from "@tanstack/react-query";

import { bounded, inputs } from "@/api/clients";
import type { Upload } from "@/gen/mediagen/v1/input_service_pb";

const SCHEME = "upload:";

export function isUpload(uri: string): boolean {
  return uri.startsWith(SCHEME);
}

/** Of "upload:…". An upload never changes; that it is gone is an error. */
export function uploadQuery(uri: string) {
  return queryOptions({
    queryKey: ["upload", uri],
    enabled: isUpload(uri),
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Upload> => {
      const uploadId = uri.slice(SCHEME.length);
      const { upload } = await inputs.getUpload({ uploadId }, bounded(signal));
      if (upload === undefined) throw new Error("the answer has no upload");
      return upload;
    },
  });
}
