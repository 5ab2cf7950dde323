// Which shape will a job's result have? Room for it is kept before it is there, so nothing jumps.
import { shapeOf, type Shape } from "@/form/ratio";
import type { Artifact, Job } from "@/gen/mediagen/v1/job_pb";
import { Model_OutputKind } from "@/gen/mediagen/v1/model_pb";

const SQUARE: Shape = { width: 1, height: 1 };
/** A sound, a text or a file is shown as a card. */
const CARD: Shape = { width: 4, height: 3 };
const FILM: Shape = { width: 16, height: 9 };
/** Those that look otherwise than what one may ask of a picture. */
const SHAPES: Readonly<Partial<Record<Model_OutputKind, Shape>>> = {
  [Model_OutputKind.AUDIO]: CARD,
  [Model_OutputKind.TEXT]: CARD,
  [Model_OutputKind.OTHER]: CARD,
};
const RATIO_NAMES = ["aspect_ratio", "ratio"];
const SIZE_NAMES = ["size", "image_size", "resolution"];

/** Of the first result; before there is one, of what was asked for or the model takes for it.
 *  kind: what its model makes, as far as that is known. */
export function reservedShape(job: Job, kind = Model_OutputKind.UNSPECIFIED): Shape {
  const [first] = job.artifacts;
  const known = (first && shapeOfArtifact(first)) ?? SHAPES[kind] ?? shapeAskedFor(job);
  return known ?? (kind === Model_OutputKind.VIDEO ? FILM : SQUARE);
}

function shapeOfArtifact({ width, height, mediaType, preview }: Artifact): Shape | undefined {
  if (width > 0 && height > 0) return { width, height };
  if (preview && preview.width > 0 && preview.height > 0) return preview;
  return /^(image|video)\//.test(mediaType) ? undefined : CARD;
}

function shapeAskedFor({ request }: Job): Shape | undefined {
  // What was given counts first; then what the model takes for what was left out.
  return shapeIn(request?.input ?? {}) ?? shapeIn(request?.defaults ?? {});
}

function shapeIn(input: Readonly<Record<string, unknown>>): Shape | undefined {
  const { width, height } = input;
  const sized = (name: string): Shape | undefined => shapeOf(input[name]);
  const asRatio = RATIO_NAMES.map(sized).find(Boolean);
  if (asRatio) return asRatio;
  if (typeof width === "number" && typeof height === "number" && width > 0 && height > 0)
    return { width, height };
  return SIZE_NAMES.map(sized).find(Boolean);
}
