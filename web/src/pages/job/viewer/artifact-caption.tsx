// What is known of the result that is shown, and what can be done with it.
import { Download } from "lucide-react";

import { Button } from "@/components/ui/button";
import { sizeText } from "@/form/files/tile";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";
import { fileName, fileUrl, isDeleted, lengthOf } from "@/jobs/media";
import { took } from "@/jobs/spans";
import { CopyButton } from "@/pages/job/copy-button";
import { UseAsInput } from "@/pages/job/use-as-input";

export function ArtifactCaption({ artifact, job }: { artifact: Artifact; job: Job }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted-foreground">
      <ul className="flex flex-wrap gap-x-4 gap-y-1 tabular-nums">
        {factsOf(artifact).map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      <div className="flex min-w-0 items-center gap-1">
        <span className="shrink-0">SHA-256</span>
        <code className="truncate font-mono text-xs" title={artifact.sha256}>
          {artifact.sha256.slice(0, 12)}…
        </code>
        <CopyButton text={artifact.sha256} size="icon-sm" aria-label="Copy the SHA-256" />
      </div>
      {!isDeleted(artifact) && (
        <div className="ml-auto flex flex-wrap gap-2">
          <UseAsInput job={job} artifact={artifact} />
          <Button variant="secondary" size="sm" asChild>
            <a href={fileUrl(artifact)} download={fileName(job, artifact)}>
              <Download aria-hidden />
              Download
            </a>
          </Button>
        </div>
      )}
    </div>
  );
}

function factsOf(artifact: Artifact): string[] {
  const { height, mediaType, sizeBytes, width } = artifact;
  const length = lengthOf(artifact);
  return [
    ...(width > 0 && height > 0 ? [`${width} × ${height}`] : []),
    ...(length === undefined ? [] : [took(length)]),
    mediaType,
    sizeText(sizeBytes),
  ];
}
