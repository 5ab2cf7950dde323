// Which files are on their way to the service, for which inputs?
import { useCallback, useEffect, useRef, useState } from "react";

import { queryClient } from "@/app/query-client";
import { uploadQuery } from "@/form/files/queries";
import { uploadFile } from "@/form/files/upload";
import { randomId } from "@/lib/random-id";

export interface RunningUpload {
  id: string;
  /** The input that it is for. */
  field: string;
  file: File;
  percent: number;
  /** Why it ended without a result. */
  problem: string | undefined;
}

export interface Uploads {
  running: readonly RunningUpload[];
  start: (field: string, files: readonly File[]) => void;
  /** Stops it, or clears it away where it has failed. */
  stop: (id: string) => void;
  retry: (upload: RunningUpload) => void;
}

/** `onDone` gets the uri that the input then says. */
export function useUploads(onDone: (field: string, uri: string) => void): Uploads {
  const [running, setRunning] = useState<readonly RunningUpload[]>([]);
  const aborts = useRef(new Map<string, AbortController>());
  const done = useRef(onDone);
  useEffect(() => {
    done.current = onDone;
  });
  useEffect(() => {
    const started = aborts.current;
    return () => started.forEach((abort) => abort.abort());
  }, []);

  const drop = useCallback((id: string) => {
    aborts.current.delete(id);
    setRunning((all) => all.filter((one) => one.id !== id));
  }, []);

  const start = useCallback(
    (field: string, files: readonly File[]) => {
      for (const file of files) {
        const id = randomId();
        const abort = new AbortController();
        const change = (news: Partial<RunningUpload>) =>
          setRunning((all) => all.map((one) => (one.id === id ? { ...one, ...news } : one)));
        aborts.current.set(id, abort);
        setRunning((all) => [...all, { id, field, file, percent: 0, problem: undefined }]);
        uploadFile(file, (percent) => change({ percent }), abort.signal).then(
          (upload) => {
            queryClient.setQueryData(uploadQuery(upload.uri).queryKey, upload);
            drop(id);
            done.current(field, upload.uri);
          },
          (error: unknown) => {
            if (!abort.signal.aborted) change({ problem: messageOf(error) });
          },
        );
      }
    },
    [drop],
  );

  const stop = useCallback(
    (id: string) => {
      aborts.current.get(id)?.abort();
      drop(id);
    },
    [drop],
  );

  const retry = useCallback(
    ({ id, field, file }: RunningUpload) => {
      drop(id);
      start(field, [file]);
    },
    [drop, start],
  );

  return { running, start, stop, retry };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "The upload failed.";
}
