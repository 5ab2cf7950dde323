// Files that are dropped or pasted anywhere into the form go to the first field that takes them.
import { useEffect, useRef, useState, type ReactNode } from "react";

import type { FilesField, FormModel } from "@/form/field";
import { filesIn, pastedFiles } from "@/form/files/drop-area";
import { cn } from "@/lib/cn";

interface FileCatcherProps {
  form: FormModel;
  onFiles: (field: string, files: readonly File[]) => void;
  children: ReactNode;
}

export function FileCatcher({ form, onFiles, children }: FileCatcherProps) {
  const [over, setOver] = useState(false);
  const take = (files: readonly File[], near: EventTarget | null): boolean => {
    const field = fieldFor(form, files, near);
    if (field !== undefined) onFiles(field.name, field.many ? files : files.slice(0, 1));
    return field !== undefined;
  };
  usePaste(take);
  const takesFiles = filesFields(form).length > 0;
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- each field has a button
    <div
      className={cn(
        "rounded-xl",
        over && takesFiles && "ring-2 ring-primary ring-offset-4 ring-offset-card",
      )}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(event.dataTransfer.types.includes("Files"));
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(filesIn(event.dataTransfer), event.target);
      }}
    >
      {children}
    </div>
  );
}

function usePaste(take: (files: readonly File[], near: EventTarget | null) => boolean): void {
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const files = pastedFiles(event);
      if (files.length > 0 && latest.current(files, event.target)) event.preventDefault();
    };
    document.addEventListener("paste", onPaste);
    return () => document.removeEventListener("paste", onPaste);
  }, []);
}

/** The field in which it happened, else the first one for such files. */
function fieldFor(
  form: FormModel,
  files: readonly File[],
  near: EventTarget | null,
): FilesField | undefined {
  const [first] = files;
  if (first === undefined) return undefined;
  const fields = filesFields(form);
  const frame = near instanceof Element ? near.closest<HTMLElement>("[data-field]") : null;
  const kind = first.type.split("/")[0] ?? "";
  return (
    fields.find(({ name }) => name === frame?.dataset["field"]) ??
    fields.find(({ accept }) => accept.startsWith(`${kind}/`)) ??
    fields.find(({ accept }) => accept === "")
  );
}

export function filesFields(form: FormModel): FilesField[] {
  return [...form.main, ...form.more].filter((field) => field.kind === "files");
}
