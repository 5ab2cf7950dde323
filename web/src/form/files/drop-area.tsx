// Where a file is dropped, pasted, picked or named.
import { Link, Upload } from "lucide-react";
import { useRef, useState, type ClipboardEvent, type DragEvent } from "react";

import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import type { FilesField } from "@/form/field";
import type { Ties } from "@/form/fields/field-frame";
import { isReference } from "@/form/files/file-reference";
import { cn } from "@/lib/cn";

interface DropAreaProps {
  field: FilesField;
  ties: Ties;
  /** Where there are files already. */
  slim: boolean;
  onFiles: (files: readonly File[]) => void;
  onUrl: (url: string) => void;
}

export function DropArea({ field, ties, slim, onFiles, onUrl }: DropAreaProps) {
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [naming, setNaming] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    onFiles(filesIn(event.dataTransfer));
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- the button does the same
    <div
      className={cn(
        "grid gap-2 rounded-xl border border-dashed border-input p-2 transition-colors",
        over && "border-primary bg-primary/8",
        ties["aria-invalid"] && "border-destructive",
      )}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <div className="flex items-center gap-2">
        <Button
          variant="ghost"
          id={ties.id}
          aria-describedby={ties["aria-describedby"]}
          className={cn(
            "h-auto min-w-0 flex-1 justify-start gap-3 p-2 text-left font-normal whitespace-normal",
            slim && "p-1",
          )}
          onClick={() => picker.current?.click()}
        >
          <Upload aria-hidden className="text-muted-foreground" />
          <span>{slim ? "Add another" : `Choose, drop or paste ${thing(field)}`}</span>
        </Button>
        <Button
          variant="ghost"
          size="icon-sm"
          aria-label="Give a URL"
          title="Give a URL"
          aria-expanded={naming}
          className="text-muted-foreground"
          onClick={() => setNaming(!naming)}
        >
          <Link aria-hidden />
        </Button>
      </div>
      {naming && (
        <UrlField
          title={field.title}
          onUrl={(url) => {
            onUrl(url);
            setNaming(false);
          }}
        />
      )}
      <input
        ref={picker}
        type="file"
        hidden
        accept={field.accept}
        multiple={field.many}
        data-testid={`pick-${field.name}`}
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          // The same file can be chosen again.
          target.value = "";
        }}
      />
    </div>
  );
}

function thing({ accept, many }: FilesField): string {
  const kind =
    { "image/*": "image", "video/*": "video", "audio/*": "audio file" }[accept] ?? "file";
  if (many) return `${kind}s`;
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

function UrlField({ title, onUrl }: { title: string; onUrl: (url: string) => void }) {
  const [text, setText] = useState("");
  const fits = isReference(text.trim());
  const take = () => {
    if (fits) onUrl(text.trim());
  };
  return (
    <div className="flex gap-2">
      <Input
        // eslint-disable-next-line jsx-a11y/no-autofocus -- the reader has just asked for it
        autoFocus
        aria-label={`URL of ${title}`}
        inputMode="url"
        placeholder="https://…"
        value={text}
        aria-invalid={(text !== "" && !fits) || undefined}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          take();
        }}
      />
      <Button variant="secondary" disabled={!fits} onClick={take}>
        Use
      </Button>
    </div>
  );
}

export function filesIn(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])];
}

export function pastedFiles(event: ClipboardEvent | globalThis.ClipboardEvent): File[] {
  return filesIn(event.clipboardData);
}
