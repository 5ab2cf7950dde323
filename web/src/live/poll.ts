// What does the page ask while no stream tells it? Which jobs are open, and which are the newest.
import { bounded } from "@/api/clients";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";

import type { JobCalls } from "@/live/feed";
import type { LiveStore } from "@/live/live-store";

const NEWEST = 50;
const PAGE = 200;
/** Of more open jobs than these pages hold, the oldest are asked for one by one. */
const MOST_PAGES = 5;

/** Asks once. Whether there was an answer. */
export async function poll(
  calls: JobCalls,
  store: LiveStore,
  signal: AbortSignal,
): Promise<boolean> {
  const { epoch } = store.now();
  try {
    const [newest, open] = await Promise.all([
      calls.listJobs({ pageSize: NEWEST }, bounded(signal)),
      openJobs(calls, signal),
    ]);
    store.tell({ kind: "read", jobs: newest.jobs, epoch });
    store.tell({ kind: "open jobs", jobs: open, epoch });
    store.take();
    return true;
  } catch {
    return false; // the connection says so
  }
}

async function openJobs(calls: JobCalls, signal: AbortSignal): Promise<Job[]> {
  const states = [Job_State.PENDING, Job_State.RUNNING];
  const jobs: Job[] = [];
  let pageToken = "";
  for (let page = 0; page < MOST_PAGES; page++) {
    const request = { states, pageSize: PAGE, pageToken };
    const answer = await calls.listJobs(request, bounded(signal));
    jobs.push(...answer.jobs);
    pageToken = answer.nextPageToken;
    if (pageToken === "") break;
  }
  return jobs;
}
