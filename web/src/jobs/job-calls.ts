// How are jobs canceled, made again and taken home?
import { bounded, generation } from "@/api/clients";
import { problemOf, type Problem } from "@/api/problem";
import { jobPath } from "@/api/urls";
import { toast } from "@/components/ui/toast";
import { submit, type Wanted } from "@/form/submissions";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { downloadable, fileName, fileUrl, pageUrl } from "@/jobs/media";
import { copyText } from "@/lib/clipboard";
import type { LiveStore } from "@/live/live-store";

const AT_ONCE = 6;
/** Browsers drop downloads that come faster. */
const BETWEEN_DOWNLOADS_MS = 250;

/** Cancels all of them, a few at once, and says how it went. */
export async function cancelJobs(jobs: readonly Job[], store: LiveStore): Promise<void> {
  const waiting = [...jobs];
  const answered: Job[] = [];
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      try {
        const { job } = await generation.cancelJob({ jobId: next.jobId }, bounded());
        if (job) answered.push(job);
        if (job) store.absorb([job]);
      } catch (error) {
        problems.push(problemOf(error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  report(answered, problems);
}

function report(answered: readonly Job[], problems: readonly string[]): void {
  const [problem] = problems;
  if (problem !== undefined) {
    const title =
      problems.length > 1 ? `${problems.length} jobs were not canceled` : "Not canceled";
    toast.error(title, { description: problem });
  }
  const ended = answered.filter((job) => job.state === Job_State.CANCELED).length;
  const asked = answered.length - ended;
  if (ended > 0) toast.success(ended > 1 ? `${ended} jobs canceled` : "Canceled");
  if (asked > 0)
    toast(asked > 1 ? `Canceling ${asked} jobs` : "Canceling", {
      description: "The provider is told; its last word decides.",
    });
}

/** Submits the same request once more. The new job, or undefined if it was refused or not heard. */
export async function submitAgain(job: Job, store: LiveStore): Promise<Job | undefined> {
  const refusals: Problem[] = [];
  const showRefusal = (problem: Problem): boolean => {
    refusals.push(problem);
    const [violation] = problem.violations;
    toast.error("Not submitted", { description: violation?.description ?? problem.message });
    return true;
  };
  const again = await submit(requestAgain(job), { showRefusal });
  if (again) store.absorb([again]);
  else if (refusals.length === 0)
    toast.error("The service does not answer", {
      description: "The request is kept under Create, to be sent again.",
    });
  return again;
}

/** All of the request but its id: it is another submission. */
function requestAgain({ request }: Job): Wanted & Pick<NonNullable<Job["request"]>, "webhook"> {
  if (request === undefined) throw new Error("a job without its request");
  const { model, prompt, input = {}, labels, priority, timeout, webhook } = request;
  return { model, prompt, input, labels, priority, timeout, webhook };
}

/** Downloads every result of them, one after the other. */
export async function downloadAll(jobs: readonly Job[]): Promise<void> {
  const found = downloadable(jobs);
  if (found.length === 0) toast("There is nothing to download");
  if (found.length > 1) toast(`Downloading ${found.length} files`);
  for (const { job, artifact } of found) {
    const link = document.createElement("a");
    link.href = fileUrl(artifact);
    link.download = fileName(job, artifact);
    link.click();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_DOWNLOADS_MS));
  }
}

/** Puts the addresses of their pages into the clipboard, a line each. */
export async function copyLinks(jobs: readonly Job[]): Promise<void> {
  const links = jobs.map((job) => pageUrl(jobPath(job.jobId)));
  if (await copyText(links.join("\n")))
    toast.success(links.length > 1 ? `${links.length} links copied` : "Link copied");
  else toast.error("The browser does not let this page copy", { description: links[0] ?? "" });
}
