// Which values are shapes, and how is each drawn?

export interface Shape {
  width: number;
  height: number;
}

const RATIO = /^\s*(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)\s*$/;
const SIZE = /^\s*(\d{2,5})\s*[x×*]\s*(\d{2,5})\s*$/;

/** Of "16:9", or of "1024x768". undefined for words such as "custom". */
export function shapeOf(value: unknown): Shape | undefined {
  if (typeof value !== "string") return undefined;
  const match = RATIO.exec(value) ?? SIZE.exec(value);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  return width > 0 && height > 0 ? { width, height } : undefined;
}

/** Whether a list of choices is one of shapes, a few words among them. */
export function areShapes(choices: readonly unknown[]): boolean {
  const shapes = choices.filter((choice) => shapeOf(choice) !== undefined).length;
  return shapes >= 2 && shapes >= choices.length - 3;
}

/** The largest such shape in a square of this side. A very long one stays visible. */
export function fitted({ width, height }: Shape, side: number): Shape {
  const scale = side / Math.max(width, height);
  const least = side / 4;
  return { width: Math.max(width * scale, least), height: Math.max(height * scale, least) };
}
