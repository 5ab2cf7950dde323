// Does what was quoted come out as it went in, whatever it is? A real shell and a real Python tell.
import { execFileSync } from "node:child_process";

import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { jsonText, pythonLiteral, shellWord } from "@/pages/job/quoting";

const HOSTILE = [
  "",
  "'",
  "''",
  'it\'s a "cat"',
  "'; rm -rf / #",
  "$(id) `id` ${HOME} $HOME !! !$",
  "a\\'b\\\\'c\\",
  "line\nbreak\r\n\ttab\0".replace("\0", ""),
  "-d @/etc/passwd",
  "@file",
  "~ * ? [a-z] {a,b} < > | & ;",
  "\u001b[31mred\u001b[0m \u009b31m",
  "right \u202Eto left, zero\u200bwidth, \u2028 separator",
  "ünïcödé 漢字 👩‍👩‍👧 𝔘",
  "%s %n \\x41 \\u0041 \\N{BULLET}",
  "\"\"\"triple\"\"\" '''quotes'''",
  "__proto__",
];
const PIECES = [
  ...Array.from("abc '\"\\$`!#&|;<>(){}[]*?~%@=-\n\t\r\u007f\u0085\u202e\u2028é漢👻"),
  "'\\''",
  "\\u0027",
];

/** A fixed course of chance (mulberry32), so that a failure comes again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function texts(count: number, seed: number): string[] {
  const next = chance(seed);
  const piece = (): string => PIECES[Math.floor(next() * PIECES.length)] ?? "";
  const made = Array.from({ length: count }, () =>
    Array.from({ length: Math.floor(next() * 24) }, piece).join(""),
  );
  return [...HOSTILE, ...made];
}

/** What a shell makes of words: each of them, ended by a NUL. */
function fromShell(words: readonly string[]): string[] {
  const script = words.map((word) => `printf '%s\\0' ${word}`).join("\n");
  return execFileSync("sh", ["-s"], { input: script }).toString().split("\0").slice(0, -1);
}

function fromPython(literal: string): unknown {
  const script = "import json, sys; print(json.dumps(eval(sys.stdin.buffer.read().decode())))";
  return JSON.parse(
    execFileSync("python3", ["-I", "-c", script], { input: literal }).toString(),
  ) as unknown;
}

describe("a word of a shell", () => {
  it("is the text that was quoted, whatever that is", () => {
    const given = texts(400, 1);
    expect(fromShell(given.map(shellWord))).toEqual(given);
  });

  it("carries JSON unchanged", () => {
    const given = texts(400, 2).map((prompt) => ({ prompt, input: { [`a'${prompt}`]: [prompt] } }));
    const out = fromShell(given.map((value) => shellWord(jsonText(value, 2))));
    expect(out.map((text) => JSON.parse(text) as JsonValue)).toEqual(given);
  });

  it("shows whatever a terminal might act on", () => {
    for (const text of texts(400, 3)) {
      // eslint-disable-next-line no-control-regex
      expect(jsonText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
  });
});

describe("a literal of Python", () => {
  it("is the value that was given, whatever that is", () => {
    const given: JsonValue = [
      ...texts(400, 4),
      ...texts(50, 5).map((text) => ({ [`${text}:`]: [text, null, true, false, 4, -0.5, 1e21] })),
    ];
    expect(fromPython(pythonLiteral(given))).toEqual(given);
  });
});
