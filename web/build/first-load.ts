// How much script does a visit load before it shows anything, and is that too much?
import { gzipSync } from "node:zlib";

import type { Plugin, Rolldown } from "vite";

type Chunk = Rolldown.OutputChunk;

/**
 * Fails the build where the entry, with all that it and one page need, is larger than `largest`
 * bytes of gzip. Whichever page is the first.
 */
export function firstLoad({ largest }: { largest: number }): Plugin {
  return {
    name: "mediagen:first-load",
    apply: "build",
    generateBundle(_options, bundle) {
      const chunks = new Map<string, Chunk>();
      for (const file of Object.values(bundle))
        if (file.type === "chunk") chunks.set(file.fileName, file);
      const entry = [...chunks.values()].find((chunk) => chunk.isEntry);
      if (entry === undefined) this.error("there is no entry");
      for (const page of pages(chunks)) {
        const bytes = sizeOf(needed([entry, page], chunks));
        const told = `first load of ${page.name}: ${(bytes / 1000).toFixed(1)} kB of script, gzip`;
        if (bytes > largest) this.error(`${told}, more than ${largest / 1000} kB`);
        this.info(told);
      }
    },
  };
}

function pages(chunks: ReadonlyMap<string, Chunk>): Chunk[] {
  const found = [...chunks.values()].filter((chunk) => chunk.facadeModuleId?.endsWith("-page.tsx"));
  if (found.length === 0) throw new Error("no page was found: are they still named *-page.tsx?");
  return found;
}

function needed(from: readonly Chunk[], chunks: ReadonlyMap<string, Chunk>): Set<Chunk> {
  const all = new Set(from);
  // A set that grows while it is walked is walked to its end.
  for (const chunk of all)
    for (const name of chunk.imports) {
      const imported = chunks.get(name);
      if (imported !== undefined) all.add(imported);
    }
  return all;
}

function sizeOf(chunks: Iterable<Chunk>): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += gzipSync(chunk.code, { level: 6 }).length;
  return bytes;
}
