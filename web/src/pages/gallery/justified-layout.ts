// Where does each card lie, so that rows are full and every picture keeps its shape?
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Row {
  top: number;
  height: number;
  /** The cards of it: from `first` up to, not including, `end`. */
  first: number;
  end: number;
}

export interface Layout {
  boxes: readonly Box[];
  rows: readonly Row[];
  height: number;
}

export interface Measures {
  width: number;
  /** The height that pictures should have; rows come near it. */
  picture: number;
  /** What stands under each picture. */
  caption: number;
  gap: number;
  /** Nothing comes behind the last card. Until then a row that is not full is not laid out: what
   *  comes would move its cards. */
  complete: boolean;
}

/** A very long or very high picture is cut: a row of it alone would fill the screen. */
const NARROWEST = 9 / 16;
const WIDEST = 2.4;

/** Cards with pictures of these ratios, width by height, in rows from left to right. The last row
 *  need not be full. */
export function justified(ratios: readonly number[], measures: Measures): Layout {
  const boxes: Box[] = [];
  const rows: Row[] = [];
  let top = 0;
  for (let first = 0; first < ratios.length;) {
    const [end, picture, full] = nextRow(ratios, first, measures);
    if (!full && !measures.complete && first > 0) break;
    const height = picture + measures.caption;
    let left = 0;
    for (let at = first; at < end; at++) {
      const width = shape(ratios[at]) * picture;
      boxes.push({ left, top, width, height });
      left += width + measures.gap;
    }
    rows.push({ top, height, first, end });
    top += height + measures.gap;
    first = end;
  }
  return { boxes, rows, height: Math.max(0, top - measures.gap) };
}

/** Where the row that begins at `first` ends, how high its pictures are, and whether it is full. */
function nextRow(
  ratios: readonly number[],
  first: number,
  measures: Measures,
): [number, number, boolean] {
  const { picture, width, gap } = measures;
  let sum = 0;
  let before = Infinity;
  for (let at = first; at < ratios.length; at++) {
    sum += shape(ratios[at]);
    const height = Math.max(1, (width - gap * (at - first)) / sum);
    if (height <= picture) {
      // With this one the row is too low, without it too high: what is nearer.
      const without = before / picture < picture / height && at > first;
      return without ? [at, before, true] : [at + 1, height, true];
    }
    before = height;
  }
  return [ratios.length, Math.min(before, picture), false];
}

function shape(ratio: number | undefined): number {
  return Math.min(WIDEST, Math.max(NARROWEST, ratio ?? 1));
}

/** The row in which a card lies; -1 if there is no such card. */
export function rowOf({ rows }: Layout, place: number): number {
  return rows.findIndex(({ first, end }) => first <= place && place < end);
}

/** The card of the row above or below that lies most nearly under the middle of this one. */
export function neighbor(layout: Layout, place: number, step: -1 | 1): number {
  const { boxes, rows } = layout;
  const box = boxes[place];
  const row = rows[rowOf(layout, place) + step];
  if (box === undefined || row === undefined) return place;
  const middle = box.left + box.width / 2;
  let nearest = row.first;
  for (let at = row.first; at < row.end; at++)
    if (distance(boxes[at], middle) < distance(boxes[nearest], middle)) nearest = at;
  return nearest;
}

function distance(box: Box | undefined, x: number): number {
  return box === undefined ? Infinity : Math.abs(box.left + box.width / 2 - x);
}
