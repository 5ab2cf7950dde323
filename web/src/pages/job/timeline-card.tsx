// What has happened, in order.
import { Attempt_State } from "@/gen/mediagen/v1/attempt_pb";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { exactly } from "@/jobs/spans";
import { useHistory } from "@/pages/job/history";
import { SectionCard } from "@/pages/job/section-card";
import { EntryView } from "@/pages/job/timeline-entry";
import { timelineOf, type Entry } from "@/pages/job/timeline";

export function TimelineCard({ job }: { job: Job }) {
  const entries = timelineOf(job, useHistory(job));
  const begin = entries[0]?.timeMs ?? 0;
  return (
    <SectionCard title="What happened">
      <ol className="grid">
        {entries.map((entry, place) => (
          <li key={entry.key} className="grid grid-cols-[auto_1fr_auto] gap-x-3">
            <Rail entry={entry} last={place === entries.length - 1} />
            <div className="min-w-0 pb-4 text-sm">
              <EntryView entry={entry} />
            </div>
            <Moment timeMs={entry.timeMs} beginMs={begin} />
          </li>
        ))}
      </ol>
    </SectionCard>
  );
}

function Rail({ entry, last }: { entry: Entry; last: boolean }) {
  return (
    <div aria-hidden className="grid grid-rows-[auto_1fr] justify-items-center">
      <span className={`mt-1.5 size-2.5 rounded-full ${toneOf(entry)}`} />
      {!last && <span className="w-px bg-border" />}
    </div>
  );
}

function toneOf(entry: Entry): string {
  switch (entry.kind) {
    case "attempt-ended":
      return entry.attempt.state === Attempt_State.SUCCEEDED ? "bg-success" : "bg-destructive";
    case "ended":
      return ENDS[entry.state] ?? "bg-muted-foreground";
    case "saved":
      return "bg-success";
    case "cancel-asked":
    case "retry":
      return "bg-warning";
    default:
      return "bg-primary/60";
  }
}

const ENDS: Readonly<Partial<Record<Job_State, string>>> = {
  [Job_State.COMPLETED]: "bg-success",
  [Job_State.FAILED]: "bg-destructive",
};

/** After how long; the moment itself for who points at it, and for who hears it. */
function Moment({ beginMs, timeMs }: { timeMs: number | undefined; beginMs: number }) {
  if (timeMs === undefined) return <span />;
  const seconds = (timeMs - beginMs) / 1000;
  return (
    <time
      dateTime={new Date(timeMs).toISOString()}
      title={exactly(timeMs)}
      className="text-xs leading-5 whitespace-nowrap text-muted-foreground tabular-nums"
    >
      {seconds === 0 ? exactly(timeMs) : `+${offset(seconds)}`}
    </time>
  );
}

/** "+0.42 s", "+12.1 s", "+3:05" */
function offset(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => part.toString().padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
