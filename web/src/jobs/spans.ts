// How are lengths of time and moments written?
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** As on a stop watch: "0:07", "12:30", "1:02:03". */
export function stopwatch(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number): string => part.toString().padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** As one would say it: "4 s", "20 s", "3 min", "2 h". */
export function roughly(milliseconds: number): string {
  if (milliseconds < 10 * SECOND) return `${Math.max(1, Math.round(milliseconds / SECOND))} s`;
  if (milliseconds < MINUTE) return `${Math.round(milliseconds / (5 * SECOND)) * 5} s`;
  if (milliseconds < 1.5 * HOUR) return `${Math.round(milliseconds / MINUTE)} min`;
  return `${Math.round(milliseconds / HOUR)} h`;
}

/** How long something took: "0.8 s", "12 s", "3 min 20 s", and nothing of what is 0. */
export function took(milliseconds: number): string {
  const tenths = Math.round(milliseconds / 100);
  if (tenths < 100) return `${tenths / 10} s`;
  const seconds = Math.round(milliseconds / SECOND);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  if (minutes < 60) return joined(`${minutes} min`, seconds % 60, "s");
  return joined(`${Math.floor(minutes / 60)} h`, minutes % 60, "min");
}

function joined(whole: string, rest: number, unit: string): string {
  return rest === 0 ? whole : `${whole} ${rest} ${unit}`;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The time of a moment of today, else the day. */
export function moment(milliseconds: number, now = Date.now()): string {
  const date = new Date(milliseconds);
  const today = date.toDateString() === new Date(now).toDateString();
  return (today ? TIME : DAY).format(date);
}

/** Day and time, to the second. */
export function exactly(milliseconds: number): string {
  return FULL.format(new Date(milliseconds));
}
