// What ran, and what that cost.
import { Priority, type Job } from "@/gen/mediagen/v1/job_pb";
import { exactly, roughly, took } from "@/jobs/spans";
import { chargeWord } from "@/jobs/words";
import { isFinal, millisOf } from "@/live/job-order";
import { priceText, secondsOf } from "@/models/price";
import { CopyButton } from "@/pages/job/copy-button";
import { estimateOf, estimateText, runSeconds } from "@/pages/job/cost";
import { Facts, type Fact } from "@/pages/job/facts";
import { countingAttempt, ranWith } from "@/pages/job/run-again";
import { SectionCard } from "@/pages/job/section-card";
import { takesSeed, useModel } from "@/pages/job/use-model";
import { chargeReason } from "@/pages/job/words";

export function RunCard({ job }: { job: Job }) {
  const seeded = takesSeed(useModel(job)) === true || ranWith(job).seed !== undefined;
  return (
    <SectionCard title="Run">
      <Facts facts={factsOf(job, seeded)} />
    </SectionCard>
  );
}

/** seeded: whether there is a seed to speak of. */
function factsOf(job: Job, seeded: boolean): Fact[] {
  const { createTime, deadline, endTime, request, startTime } = job;
  const facts: Fact[] = [["Model", request?.model ?? ""]];
  facts.push(["Version", versionOf(job), ranWith(job).version === undefined ? undefined : "mono"]);
  if (seeded) facts.push(["Seed", seedOf(job)]);
  facts.push(["Submitted", exactly(millisOf(createTime))]);
  if (startTime) facts.push(["Waited", took(millisOf(startTime) - millisOf(createTime))]);
  if (startTime && endTime) facts.push(["Took", took(millisOf(endTime) - millisOf(startTime))]);
  if (!isFinal(job) && deadline) facts.push(["Time is up", exactly(millisOf(deadline))]);
  if (request?.priority === Priority.HIGH) facts.push(["Priority", "High"]);
  if (request?.priority === Priority.LOW) facts.push(["Priority", "Low"]);
  const timeout = secondsOf(request?.timeout);
  if (timeout !== undefined) facts.push(["Time limit", roughly(timeout * 1000)]);
  return [...facts, ["Job", <WithCopy key="job" text={job.jobId} name="the job's id" />]];
}

function versionOf(job: Job): Fact[1] {
  const { version } = ranWith(job);
  if (version !== undefined) return <WithCopy text={version} name="the version" />;
  const told = countingAttempt(job)?.modelVersion;
  return told === "hidden" ? "Not told by the provider" : (told ?? "The newest, when it runs");
}

function seedOf(job: Job): Fact[1] {
  const { chosen, seed } = ranWith(job);
  if (seed === undefined) return isFinal(job) ? "None is known" : "Not chosen yet";
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <WithCopy text={seed.toString()} name="the seed" />
      {chosen && <span className="text-xs text-muted-foreground">chosen by the service</span>}
    </span>
  );
}

function WithCopy({ name, text }: { text: string; name: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1 font-mono text-xs">
      <span className="break-all">{text}</span>
      <CopyButton
        text={text}
        size="icon-sm"
        className="-my-1.5 size-7"
        aria-label={`Copy ${name}`}
      />
    </span>
  );
}

export function CostCard({ job }: { job: Job }) {
  const model = useModel(job);
  const price = priceText(model?.price);
  const estimate = estimateOf(job, model?.price);
  const reason = job.attempts.at(-1)?.chargeReason;
  const ran = runSeconds(job);
  const facts: Fact[] = [
    ["Charge", isFinal(job) ? chargeWord(job.charge) : "Told when it has ended"],
  ];
  if (isFinal(job)) {
    facts.push(["Why", reason === undefined ? "No call was made for it." : chargeReason(reason)]);
  }
  if (ran > 0) facts.push(["Model ran", took(ran * 1000)]);
  if (price !== undefined) facts.push(["Price", price]);
  if (estimate) facts.push(["Estimate", estimateText(estimate)]);
  return (
    <SectionCard title="Cost">
      <Facts facts={facts} />
      {estimate && (
        <p className="text-xs text-muted-foreground">
          An estimate from the price in the catalogue. What the provider bills is what counts.
        </p>
      )}
    </SectionCard>
  );
}
