// A result that is text: its beginning.
import { useQuery } from "@tanstack/react-query";

import { Skeleton } from "@/components/ui/skeleton";
import type { Artifact } from "@/gen/mediagen/v1/job_pb";
import { fileUrl } from "@/jobs/media";

const SHOWN_BYTES = 64 * 1024;
const PATIENCE_MS = 30_000;

export function isText({ mediaType }: Artifact): boolean {
  return /^(text\/|application\/(json|x-ndjson|yaml|xml)\b)/.test(mediaType);
}

export function TextFile({ artifact }: { artifact: Artifact }) {
  const url = fileUrl(artifact);
  const { data, error } = useQuery({
    queryKey: ["text", artifact.sha256],
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const both = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      const headers = { range: `bytes=0-${SHOWN_BYTES - 1}` };
      const answer = await fetch(url, { headers, signal: both });
      if (!answer.ok) throw new Error(`It can not be read (${answer.status}).`);
      return answer.text();
    },
  });
  if (data === undefined)
    return error ? <p className="text-sm">{error.message}</p> : <Skeleton className="h-48" />;
  return (
    <div className="grid gap-2">
      <Text text={data} name="The text that was made" />
      {artifact.sizeBytes > SHOWN_BYTES && (
        <p className="text-xs text-muted-foreground">
          This is its beginning; download it to read on.
        </p>
      )}
    </div>
  );
}

export function Text({ name, text }: { name: string; text: string }) {
  return (
    <div
      role="region"
      // It scrolls, so the keyboard must get there.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={name}
      className="max-h-[60dvh] scroll-slim overflow-auto rounded-xl bg-muted p-5 text-sm leading-relaxed break-words whitespace-pre-wrap"
    >
      {text}
    </div>
  );
}
