// A result as an input: of which model? Those that take such a file, asked for when the menu opens.
import { useQueries, useQuery } from "@tanstack/react-query";
import { ImageUp } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";

import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { artifactReference, useAsInputPath as asInputPath } from "@/form/prefill";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { allModels, oneModel } from "@/models/queries";
import { takesFiles } from "@/pages/job/takes-files";

/** Of more models nobody wants to choose here: Create has a search. */
const MOST = 24;

interface UseAsInputProps {
  job: Job;
  /** Its bytes are still there. */
  artifact: Artifact;
}

export function UseAsInput(props: UseAsInputProps) {
  const [open, setOpen] = useState(false);
  return (
    <DropdownMenu open={open} onOpenChange={setOpen}>
      <DropdownMenuTrigger asChild>
        <Button variant="secondary" size="sm">
          <ImageUp aria-hidden />
          Use as input
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start" className="max-w-80">
        <DropdownMenuLabel>Models that take such a file</DropdownMenuLabel>
        {open && <Models {...props} />}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

function Models({ artifact, job }: UseAsInputProps) {
  const navigate = useNavigate();
  const { found, pending } = useTakers(artifact.mediaType);
  const reference = artifactReference(job.jobId, artifact.index);
  return (
    <>
      {found.map(({ name }) => (
        <DropdownMenuItem
          key={name}
          onSelect={() => void navigate(asInputPath(reference, undefined, name))}
        >
          <span className="truncate">{name}</span>
        </DropdownMenuItem>
      ))}
      {found.length === 0 && (
        <p role="status" className="px-2.5 py-1.5 text-sm text-muted-foreground">
          {pending ? "Looking for them…" : "There is none in the catalogue."}
        </p>
      )}
    </>
  );
}

function useTakers(mediaType: string): { found: readonly Model[]; pending: boolean } {
  const all = useQuery(allModels);
  const names = (all.data ?? []).slice(0, MOST).map(({ name }) => name);
  const models = useQueries({ queries: names.map(oneModel) });
  const found = models.flatMap(({ data }) =>
    data?.inputSchema && takesFiles(data.inputSchema, mediaType) ? [data] : [],
  );
  return { found, pending: all.isPending || models.some(({ isPending }) => isPending) };
}
