// A field for one file, or several in an order: dropped, pasted, picked, or named by a URL.
import type { JsonValue } from "@bufbuild/protobuf";

import type { FilesField } from "@/form/field";
import type { ControlProps } from "@/form/fields/input-control";
import { DropArea } from "@/form/files/drop-area";
import { FileTile } from "@/form/files/file-tile";
import { UploadTile } from "@/form/files/upload-tile";
import { useFormUploads } from "@/form/files/uploads-context";

export function FilesControl({ field, value, onChange, ties }: ControlProps<FilesField>) {
  const { running, start } = useFormUploads();
  const own = running.filter((upload) => upload.field === field.name);
  const files = filesOf(value);
  const change = (next: readonly string[]) => onChange(valueOf(field, next));
  const room = (field.most ?? Infinity) - files.length - own.length;
  return (
    <div
      role="group"
      aria-labelledby={ties["aria-labelledby"]}
      aria-describedby={ties["aria-describedby"]}
      className="grid gap-2"
    >
      {files.length + own.length > 0 && (
        <ul className="grid gap-2">
          {files.map((file, index) => (
            <FileTile
              key={file}
              uri={file}
              place={field.many ? { index, of: files.length } : undefined}
              onMove={(by) => change(moved(files, index, by))}
              onRemove={() => change(files.toSpliced(index, 1))}
            />
          ))}
          {own.map((upload) => (
            <UploadTile key={upload.id} upload={upload} />
          ))}
        </ul>
      )}
      {room > 0 && (
        <DropArea
          field={field}
          ties={ties}
          slim={files.length + own.length > 0}
          onFiles={(chosen) => start(field.name, chosen.slice(0, room))}
          onUrl={(url) => change([...files, url])}
        />
      )}
    </div>
  );
}

export function filesOf(value: JsonValue | undefined): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one): one is string => typeof one === "string" && one !== "");
}

/** What the input says. No file: it is left to the model. */
export function valueOf({ many }: FilesField, files: readonly string[]): JsonValue | undefined {
  if (files.length === 0) return undefined;
  return many ? [...files] : files.at(-1);
}

/** With one file more, the last one where there is room for one only. */
export function withFile(
  field: FilesField,
  value: JsonValue | undefined,
  uri: string,
): JsonValue | undefined {
  const others = filesOf(value).filter((one) => one !== uri);
  return valueOf(field, [...others, uri].slice(-(field.most ?? Infinity)));
}

function moved(files: readonly string[], index: number, by: number): string[] {
  const [file = ""] = files.slice(index, index + 1);
  return files.toSpliced(index, 1).toSpliced(index + by, 0, file);
}
