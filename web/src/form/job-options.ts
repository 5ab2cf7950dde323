// What can be said of a job beside its inputs?
import { Priority } from "@/gen/mediagen/v1/job_pb";
import type { Violation } from "@/api/problem";

export interface JobOptions {
  /** As typed: "key=value", one a line. */
  labels: string;
  priority: Priority;
  /** As typed, in minutes. Empty: the service's own bound. */
  timeoutMinutes: string;
}

export const NO_OPTIONS: JobOptions = {
  labels: "",
  priority: Priority.NORMAL,
  timeoutMinutes: "",
};

export function labelsOf(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const pairs = lines.map((line) => {
    const [key = "", ...value] = line.split("=");
    return [key.trim(), value.join("=").trim()] as const;
  });
  return Object.fromEntries(pairs);
}

export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

/** In seconds. undefined where nothing was said. */
export function timeoutOf({ timeoutMinutes }: JobOptions): number | undefined {
  const minutes = Number(timeoutMinutes);
  return timeoutMinutes.trim() === "" ? undefined : Math.round(minutes * 60);
}

export function wrongWithOptions(options: JobOptions): Violation[] {
  const timeout = timeoutOf(options);
  if (timeout === undefined || (timeout >= 10 && timeout <= 86_400)) return [];
  return [{ field: "timeout", description: "must be between 0.2 and 1,440 minutes" }];
}

export function isPlain({ labels, priority, timeoutMinutes }: JobOptions): boolean {
  const usual = priority === Priority.NORMAL || priority === Priority.UNSPECIFIED;
  return usual && labels.trim() === "" && timeoutMinutes.trim() === "";
}
