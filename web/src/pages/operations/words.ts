// How are numbers and times of the operations said to people?
import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";

import { roughly, took } from "@/jobs/spans";

/** "0.42 s", "5 s", "12 s", "3 min 20 s" */
export function seconds(value: number): string {
  return value < 10 ? `${Number(value.toFixed(value < 1 ? 2 : 1))} s` : took(value * 1000);
}

/** "1,204" */
export function count(value: number): string {
  return value.toLocaleString();
}

/** "20 s", "3 min" */
export function since(time: Timestamp, nowMs: number): string {
  return roughly(Math.max(0, nowMs - timestampMs(time)));
}

export function clockTime(time: Timestamp): string {
  return new Date(timestampMs(time)).toLocaleTimeString();
}
