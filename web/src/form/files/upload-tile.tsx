// A file on its way to the service.
import { FileBox, RotateCw, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Progress } from "@/components/ui/progress";
import { sizeText, Tile } from "@/form/files/tile";
import { useFormUploads } from "@/form/files/uploads-context";
import { useObjectUrl } from "@/form/files/use-object-url";
import type { RunningUpload } from "@/form/files/use-uploads";

export function UploadTile({ upload }: { upload: RunningUpload }) {
  const { stop, retry } = useFormUploads();
  const { file, percent, problem } = upload;
  return (
    <Tile
      picture={<Picture file={file} />}
      name={file.name}
      details={
        problem === undefined ? (
          <div className="grid gap-1.5">
            <Progress value={percent} aria-label={`Upload of ${file.name}`} />
            <span className="tabular-nums">
              {percent} % of {sizeText(file.size)}
            </span>
          </div>
        ) : (
          <span role="alert" className="text-pretty text-destructive">
            {problem}
          </span>
        )
      }
      actions={
        <>
          {problem !== undefined && (
            <Button
              variant="ghost"
              size="icon-sm"
              aria-label={`Upload ${file.name} again`}
              onClick={() => retry(upload)}
            >
              <RotateCw aria-hidden />
            </Button>
          )}
          <Button
            variant="ghost"
            size="icon-sm"
            aria-label={problem === undefined ? `Stop ${file.name}` : `Remove ${file.name}`}
            onClick={() => stop(upload.id)}
          >
            <X aria-hidden />
          </Button>
        </>
      }
    />
  );
}

function Picture({ file }: { file: File }) {
  const url = useObjectUrl(file);
  if (!file.type.startsWith("image/") || url === undefined) return <FileBox aria-hidden />;
  return <img src={url} alt="" className="size-full object-cover opacity-60" />;
}
