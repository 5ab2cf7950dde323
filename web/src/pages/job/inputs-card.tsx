// What the model was given: the prompt, what was chosen, its files, and what was left to it.
import { useQuery } from "@tanstack/react-query";
import { FileBox } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { referenceOf } from "@/form/files/file-reference";
import { uploadQuery } from "@/form/files/queries";
import { sizeText } from "@/form/files/tile";
import type { JobRequest } from "@/gen/mediagen/v1/job_pb";
import { useInputOrder } from "@/models/input-order";
import { CopyButton } from "@/pages/job/copy-button";
import { Facts, type Fact } from "@/pages/job/facts";
import { inputsOf, inputText, type GivenFile, type GivenInput } from "@/pages/job/inputs";
import { SectionCard } from "@/pages/job/section-card";

export function InputsCard({ request }: { request: JobRequest }) {
  const inputs = inputsOf(request).sort(useInputOrder(request.model));
  const given = inputs.filter(({ isDefault }) => !isDefault);
  const left = inputs.filter(({ isDefault }) => isDefault);
  const prompt = request.prompt;
  return (
    <SectionCard
      title="Inputs"
      aside={prompt !== "" && <CopyButton text={prompt}>Copy prompt</CopyButton>}
    >
      {prompt !== "" && (
        <p className="max-h-72 scroll-slim overflow-y-auto text-sm leading-relaxed break-words whitespace-pre-wrap">
          {prompt}
        </p>
      )}
      {given.length > 0 && <Facts facts={given.map(factOf)} />}
      {left.length > 0 && (
        <div className="grid gap-1.5">
          <h3 className="text-xs font-medium text-muted-foreground">Left to the model</h3>
          <Facts facts={left.map(factOf)} className="text-muted-foreground" />
        </div>
      )}
      {prompt === "" && inputs.length === 0 && (
        <p className="text-sm text-muted-foreground">It takes none.</p>
      )}
    </SectionCard>
  );
}

function factOf(input: GivenInput): Fact {
  const name = input.name.replaceAll("_", " ");
  if (input.isSecret) return [name, <em key={name}>hidden</em>];
  if (input.files.length === 0) return [name, inputText(input.value)];
  return [
    name,
    <ul key={name} className="grid gap-2">
      {input.files.map((given) => (
        <li key={given.file.path}>
          <InputFileView given={given} />
        </li>
      ))}
    </ul>,
  ];
}

function InputFileView({ given: { file, reference } }: { given: GivenFile }) {
  const { data: upload } = useQuery(uploadQuery(reference));
  const { label, page } = referenceOf(reference);
  const name = upload === undefined || upload.fileName === "" ? label : upload.fileName;
  return (
    <div className="flex gap-3">
      <Thumbnail given={{ file, reference }} />
      <div className="grid min-w-0 content-start gap-0.5">
        <div className="truncate font-medium">
          {page ? (
            <Link to={page} className="text-primary underline-offset-4 hover:underline">
              {name}
            </Link>
          ) : (
            name
          )}
        </div>
        <div className="text-xs text-muted-foreground">
          {file.mediaType}, {sizeText(file.sizeBytes)}
        </div>
        <div className="font-mono text-[0.6875rem] break-all text-muted-foreground">
          <span className="font-sans">SHA-256 </span>
          {file.sha256}
        </div>
      </div>
    </div>
  );
}

function Thumbnail({ given: { file, reference } }: { given: GivenFile }) {
  const [failed, setFailed] = useState(false);
  const { thumbnail } = referenceOf(reference);
  const shows = thumbnail !== undefined && file.mediaType.startsWith("image/") && !failed;
  return (
    <div className="grid size-14 shrink-0 place-items-center overflow-hidden rounded-lg bg-muted text-muted-foreground">
      {shows ? (
        <img
          src={thumbnail}
          alt=""
          className="size-full object-cover"
          onError={() => setFailed(true)}
        />
      ) : (
        <FileBox className="size-5" aria-hidden />
      )}
    </div>
  );
}
