// Is what is kept of a log all of it? Of a long one the service tells the last whole lines that fit.

/** Job.log_tail is no longer than this. */
const LONGEST = 1024;
/** Room for what is not seen: colours, carriage returns, empty lines. */
const UNSEEN = 48;

/** Whether earlier output may be missing: one more line like the longest would not have fitted. */
export function mayBeCut(tail: string): boolean {
  const longest = Math.max(...tail.split("\n").map((line) => line.length));
  return tail.length + longest + UNSEEN >= LONGEST;
}
