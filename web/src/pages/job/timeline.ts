// What has happened to a job, in order: from what it tells of itself, and from its revisions?
import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";

import type { Attempt } from "@/gen/mediagen/v1/attempt_pb";
import { Job_Stage, Job_State, type Artifact, type Job } from "@/gen/mediagen/v1/job_pb";

export type Happening =
  | { kind: "accepted" }
  | { kind: "taken" }
  | { kind: "permitted"; attempt: Attempt }
  | { kind: "sent"; attempt: Attempt }
  | { kind: "stage"; stage: Job_Stage }
  | { kind: "attempt-ended"; attempt: Attempt }
  | { kind: "retry"; dueMs: number }
  | { kind: "saved"; artifact: Artifact }
  | { kind: "cancel-asked" }
  | { kind: "ended"; state: Job_State };

/** timeMs: absent where nobody told when. */
export type Entry = Happening & { key: string; timeMs: number | undefined };

/** What a revision told that the job does not tell for ever. */
export interface Revision {
  revision: number;
  timeMs: number;
  stage: Job_Stage;
  state: Job_State;
  artifacts: number;
  retryMs: number | undefined;
}

/** Told by the attempts or the end themselves, with better times. */
const TOLD_OTHERWISE: ReadonlySet<Job_Stage> = new Set([
  Job_Stage.UNSPECIFIED,
  Job_Stage.SUBMITTING,
]);
/** Where the same instant was noted for several: first what leads to the others. */
const ORDER: readonly Happening["kind"][] = [
  "accepted",
  "taken",
  "permitted",
  "sent",
  "cancel-asked",
  "attempt-ended",
  "stage",
  "saved",
  "retry",
  "ended",
];

export function revisionOf(job: Job): Revision {
  return {
    revision: job.revision,
    timeMs: ms(job.updateTime) ?? 0,
    stage: job.stage,
    state: job.state,
    artifacts: job.artifacts.length,
    retryMs: ms(job.nextAttemptTime),
  };
}

/** Oldest first. revisions: those that were seen, in order; some may be missing. */
export function timelineOf(job: Job, revisions: readonly Revision[]): Entry[] {
  const entries = [...ofJob(job), ...job.attempts.flatMap(ofAttempt), ...ofRevisions(revisions)];
  const saved = job.artifacts.map((artifact) => ofArtifact(artifact, revisions));
  const timed = [...entries, ...saved].filter(({ timeMs }) => timeMs !== undefined);
  timed.sort(
    (a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0) || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind),
  );
  const untimed = saved.filter(({ timeMs }) => timeMs === undefined);
  return withUntimed(timed, untimed);
}

function ofJob(job: Job): Entry[] {
  const entries: Entry[] = [{ key: "accepted", kind: "accepted", timeMs: ms(job.createTime) }];
  if (job.startTime) entries.push({ key: "taken", kind: "taken", timeMs: ms(job.startTime) });
  if (job.cancelRequestTime) {
    const timeMs = ms(job.cancelRequestTime);
    entries.push({ key: "cancel-asked", kind: "cancel-asked", timeMs });
  }
  if (job.endTime) {
    entries.push({ key: "ended", kind: "ended", state: job.state, timeMs: ms(job.endTime) });
  }
  return entries;
}

function ofAttempt(attempt: Attempt): Entry[] {
  const { createTime, endTime, number, submitTime } = attempt;
  const key = `attempt-${number}`;
  const entries: Entry[] = [{ key, kind: "permitted", attempt, timeMs: ms(createTime) }];
  if (submitTime) {
    entries.push({ key: `${key}-sent`, kind: "sent", attempt, timeMs: ms(submitTime) });
  }
  if (endTime) {
    entries.push({ key: `${key}-ended`, kind: "attempt-ended", attempt, timeMs: ms(endTime) });
  }
  return entries;
}

function ofRevisions(revisions: readonly Revision[]): Entry[] {
  return revisions.flatMap((revision, place): Entry[] => {
    const before = revisions[place - 1];
    const { retryMs, stage, timeMs } = revision;
    const key = `revision-${revision.revision}`;
    if (retryMs !== undefined && retryMs !== before?.retryMs) {
      return [{ key, kind: "retry", dueMs: retryMs, timeMs }];
    }
    if (stage === before?.stage || TOLD_OTHERWISE.has(stage)) return [];
    return [{ key, kind: "stage", stage, timeMs }];
  });
}

/** When it was listed, if the revision that did so was seen. */
function ofArtifact(artifact: Artifact, revisions: readonly Revision[]): Entry {
  const place = revisions.findIndex(({ artifacts }) => artifacts > artifact.index);
  const listed = place > 0 || revisions[0]?.revision === 1 ? revisions[place] : undefined;
  return { key: `saved-${artifact.index}`, kind: "saved", artifact, timeMs: listed?.timeMs };
}

/** They were saved behind the last call, and before the end. */
function withUntimed(timed: Entry[], untimed: readonly Entry[]): Entry[] {
  const end = timed.findIndex(({ kind }) => kind === "ended");
  return end < 0 ? [...timed, ...untimed] : timed.toSpliced(end, 0, ...untimed);
}

function ms(time: Timestamp | undefined): number | undefined {
  return time && timestampMs(time);
}
