// Which colours stand for a model that has no picture? Always the same for the same name.

export interface CoverArt {
  /** The ground, and what glows over it, from behind to front. */
  ground: readonly [string, string];
  glows: readonly { x: number; y: number; radius: number; colour: string }[];
  angle: number;
}

const GOLDEN_ANGLE = 137.5;

export function coverArt(name: string): CoverArt {
  const next = randomFrom(name);
  const hue = next() * 360;
  const near = hue + 25 + next() * 45;
  const far = hue + GOLDEN_ANGLE * (next() < 0.5 ? 1 : -1);
  const glow = (of: number, light: number, chroma: number) => ({
    x: 8 + next() * 84,
    y: 5 + next() * 90,
    radius: 38 + next() * 34,
    colour: oklch(light, chroma, of),
  });
  return {
    ground: [oklch(0.42, 0.13, hue), oklch(0.6, 0.15, near)],
    glows: [glow(near, 0.7, 0.17), glow(far, 0.66, 0.16), glow(hue - 30, 0.86, 0.1)],
    angle: Math.round(next() * 360),
  };
}

function oklch(light: number, chroma: number, hue: number): string {
  return `oklch(${light} ${chroma} ${Math.round(((hue % 360) + 360) % 360)})`;
}

/** FNV-1a for the seed, mulberry32 for the numbers: small, and the same everywhere. */
function randomFrom(text: string): () => number {
  let state = 0x811c9dc5;
  for (const char of text) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
