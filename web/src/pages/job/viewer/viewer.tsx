// The results of a job, large: one at a time, the others in a strip below.
import { Maximize2 } from "lucide-react";
import { useState } from "react";

import { useShortcut } from "@/app/shortcuts";
import { Button } from "@/components/ui/button";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";
import { isDeleted, mediaKind } from "@/jobs/media";
import { ArtifactCaption } from "@/pages/job/viewer/artifact-caption";
import { ArtifactView } from "@/pages/job/viewer/artifact-view";
import { Filmstrip } from "@/pages/job/viewer/filmstrip";
import { FullScreen } from "@/pages/job/viewer/full-screen";

export function Viewer({ job }: { job: Job }) {
  const { artifacts } = job;
  const [chosen, setChosen] = useState(0);
  const [full, setFull] = useState(false);
  const place = Math.min(chosen, artifacts.length - 1);
  const artifact = artifacts[place];
  const opens = artifact !== undefined && isShown(artifact);
  useShortcut({
    keys: "f",
    label: "Result on the full screen",
    group: "This page",
    run: () => setFull(opens),
  });
  if (artifact === undefined) return null;
  return (
    <section aria-label="Results" className="grid gap-3">
      <div className="relative">
        <ArtifactView
          key={artifact.index}
          job={job}
          artifact={artifact}
          onOpen={() => setFull(true)}
        />
        {opens && (
          <Button
            variant="secondary"
            size="icon-sm"
            aria-label="Full screen"
            className="absolute top-3 right-3 bg-background/80 backdrop-blur"
            onClick={() => setFull(true)}
          >
            <Maximize2 aria-hidden />
          </Button>
        )}
      </div>
      {artifacts.length > 1 && (
        <Filmstrip artifacts={artifacts} place={place} onChoose={setChosen} />
      )}
      <ArtifactCaption key={artifact.index} job={job} artifact={artifact} />
      <FullScreen job={job} place={place} open={full} onOpenChange={setFull} onChoose={setChosen} />
    </section>
  );
}

/** Whether it gains by the whole screen. */
function isShown(artifact: Artifact): boolean {
  const kind = mediaKind(artifact);
  return !isDeleted(artifact) && (kind === "image" || kind === "video");
}
