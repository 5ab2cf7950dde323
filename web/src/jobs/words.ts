// What is said of a job in a word or two: its state, its stage, its place in the line, its charge?
import { Charge } from "@/gen/mediagen/v1/attempt_pb";
import { Job_Stage, Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { openInput } from "@/jobs/secrets";
import { roughly } from "@/jobs/spans";
import { isFinal, millisOf } from "@/live/job-order";

const STATES: Readonly<Partial<Record<Job_State, string>>> = {
  [Job_State.PENDING]: "Waiting",
  [Job_State.RUNNING]: "Running",
  [Job_State.COMPLETED]: "Completed",
  [Job_State.FAILED]: "Failed",
  [Job_State.CANCELED]: "Canceled",
};

const STAGES: Readonly<Partial<Record<Job_Stage, string>>> = {
  [Job_Stage.SUBMITTING]: "Submitting",
  [Job_Stage.STARTING]: "Starting",
  [Job_Stage.PROCESSING]: "Processing",
  [Job_Stage.SAVING]: "Saving",
  [Job_Stage.RECONCILING]: "Reconciling",
  [Job_Stage.CANCELING]: "Canceling",
};

/** Both enums are open: what this page does not know yet goes on somehow. */
export function stateWord(state: Job_State): string {
  return STATES[state] ?? "In progress";
}

/** Where it is: the stage of a running job, else the state. */
export function statusWord(job: Job): string {
  if (job.state !== Job_State.RUNNING) {
    return job.nextAttemptTime && !isFinal(job) ? "Retrying" : stateWord(job.state);
  }
  return STAGES[job.stage] ?? stateWord(job.state);
}

/** Its place in the line, or when it goes on; of a running one, when it may be done. */
export function outlook(job: Job, now: number): string {
  if (job.state === Job_State.PENDING) {
    if (job.nextAttemptTime) return inTime("Tries again", millisOf(job.nextAttemptTime), now);
    const { jobsAhead, startTimeP50 } = job.forecast ?? {};
    const place =
      jobsAhead === undefined ? "" : jobsAhead === 0 ? "Next in line" : `${jobsAhead} ahead`;
    const start = startTimeP50 ? `starts ${soon(millisOf(startTimeP50), now)}` : "";
    return [place, start].filter(Boolean).join(", ");
  }
  const { endTimeP50, endTimeP90 } = job.forecast ?? {};
  if (job.state !== Job_State.RUNNING || !endTimeP50) return "";
  if (millisOf(endTimeP50) > now) return `Done ${soon(millisOf(endTimeP50), now)}`;
  if (endTimeP90 && millisOf(endTimeP90) > now) return "Done any moment";
  return "Longer than usual";
}

function inTime(what: string, then: number, now: number): string {
  return then > now ? `${what} in ${roughly(then - now)}` : `${what} now`;
}

function soon(then: number, now: number): string {
  return then > now + 1000 ? `in about ${roughly(then - now)}` : "any moment";
}

/** "Attempt 2", from the second on. */
export function attemptWord(job: Job): string {
  const number = job.attempts.at(-1)?.number ?? 0;
  return number > 1 ? `Attempt ${number}` : "";
}

/** Whether it was billed, of a job that has ended. */
export function chargeWord(charge: Charge): string {
  if (charge === Charge.NO) return "Not charged";
  return charge === Charge.YES ? "Charged" : "May be charged";
}

/** "flux-schnell" of "black-forest-labs/flux-schnell:5599ed…". */
export function shortModel(model: string): string {
  return (model.split("/").at(-1) ?? model).split(":")[0] ?? model;
}

/** What a job is called, in one line: its prompt; of a model that takes none, what it was given. */
export function titleOf({ jobId, request }: Job): string {
  const prompt = request && openInput(request)["prompt"];
  const words = [request?.prompt, typeof prompt === "string" ? prompt : "", request?.title];
  const lines = words.map((text = "") => text.replaceAll(/\s+/g, " ").trim());
  return lines.find((line) => line !== "") ?? shortModel(request?.model ?? jobId);
}
