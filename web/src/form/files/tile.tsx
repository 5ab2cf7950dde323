// A file in a field: its picture, its name, and what can be done with it.
import type { ReactNode } from "react";

interface TileProps {
  picture: ReactNode;
  name: ReactNode;
  /** Below the name. */
  details: ReactNode;
  actions: ReactNode;
}

export function Tile({ picture, name, details, actions }: TileProps) {
  return (
    <li className="flex items-center gap-3 rounded-xl bg-secondary/60 p-2">
      <div className="grid size-14 shrink-0 place-items-center overflow-hidden rounded-lg bg-muted text-muted-foreground [&>svg]:size-5">
        {picture}
      </div>
      <div className="grid min-w-0 flex-1 gap-1 text-sm">
        <div className="truncate font-medium">{name}</div>
        <div className="text-xs text-muted-foreground">{details}</div>
      </div>
      <div className="flex shrink-0 items-center">{actions}</div>
    </li>
  );
}

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
