// How far something is, as a ring with the number in it. `value={null}`: nobody knows how far.
import { cn } from "@/lib/cn";

const RADIUS = 20;
const AROUND = 2 * Math.PI * RADIUS;
/** Of a ring that only says that something goes on. */
const SOME = 0.22;

interface ProgressRingProps {
  value: number | null;
  /** What goes on, for those who do not see it. */
  label: string;
  className?: string;
}

export function ProgressRing({ value, label, className }: ProgressRingProps) {
  const shown = value === null ? SOME : Math.min(100, Math.max(0, value)) / 100;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value ?? undefined}
      className={cn("relative grid size-14 shrink-0 place-items-center", className)}
    >
      <svg
        viewBox="0 0 48 48"
        aria-hidden
        className={cn("absolute inset-0 -rotate-90", value === null && "animate-spin")}
      >
        <circle
          cx="24"
          cy="24"
          r={RADIUS}
          fill="none"
          strokeWidth="3"
          className="stroke-input/50"
        />
        <circle
          cx="24"
          cy="24"
          r={RADIUS}
          fill="none"
          strokeWidth="3"
          strokeLinecap="round"
          strokeDasharray={AROUND}
          strokeDashoffset={AROUND * (1 - shown)}
          className="stroke-primary transition-[stroke-dashoffset] duration-500"
        />
      </svg>
      {value !== null && <span className="text-xs font-medium tabular-nums">{value}%</span>}
    </div>
  );
}
