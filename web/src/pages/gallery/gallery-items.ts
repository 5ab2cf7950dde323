// Which jobs stand in the gallery, and in which shapes? What was listed, and what is told live.
import type { Job } from "@/gen/mediagen/v1/job_pb";
import { reservedShape } from "@/jobs/reserved-shape";
import { matches, type JobFilter } from "@/live/job-filter";
import { mergeNewestFirst, newestFirst } from "@/live/job-order";
import type { LiveState } from "@/live/live-state";
import type { KindOf } from "@/models/output-kinds";

export interface GalleryItem {
  jobId: string;
  /** Of the picture, width by height. */
  ratio: number;
  /** As it was when the item was made: the live state has the newer one. */
  job: Job;
}

/** What pages of ListJobs have brought. */
export interface Listed {
  /** Newest first, without a hole. */
  jobs: readonly Job[];
  /** Nothing is older. */
  complete: boolean;
}

/** The shape that a card had first is the one that it keeps while the page is open. */
export class Shapes {
  private readonly ratios = new Map<string, number>();

  ratioOf(job: Job, kindOf: KindOf): number {
    const known = this.ratios.get(job.jobId);
    if (known !== undefined) return known;
    const { width, height } = reservedShape(job, kindOf(job));
    this.ratios.set(job.jobId, width / height);
    return width / height;
  }
}

/** Newest first. Jobs older than what was listed come when their page comes. */
export function itemsOf(
  state: LiveState,
  listed: Listed,
  filter: JobFilter,
  shapes: Shapes,
  kindOf: KindOf,
): readonly GalleryItem[] {
  const oldest = listed.jobs.at(-1);
  const live = state.order.filter(
    (job) =>
      (listed.complete || (oldest !== undefined && newestFirst(job, oldest) <= 0)) &&
      matches(job, filter),
  );
  // The live state keeps only so many.
  const others = listed.jobs.filter((job) => !state.jobs.has(job.jobId));
  return mergeNewestFirst(live, others).map((job) => {
    return { jobId: job.jobId, ratio: shapes.ratioOf(job, kindOf), job };
  });
}

/** Whether the same cards lie in the same places. */
export function sameItems(a: readonly GalleryItem[], b: readonly GalleryItem[]): boolean {
  return (
    a.length === b.length &&
    a.every((item, at) => item.jobId === b[at]?.jobId && item.ratio === b[at].ratio)
  );
}
