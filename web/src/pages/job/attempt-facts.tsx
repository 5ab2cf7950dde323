// What is known of one call to the provider: its cost and why, how it failed, what was measured.
import type { Attempt } from "@/gen/mediagen/v1/attempt_pb";
import { took } from "@/jobs/spans";
import { chargeWord } from "@/jobs/words";
import { Facts, type Fact } from "@/pages/job/facts";
import { chargeReason, failureTitle } from "@/pages/job/words";

export function AttemptFacts({ attempt }: { attempt: Attempt }) {
  return <Facts facts={factsOf(attempt)} />;
}

function factsOf(attempt: Attempt): Fact[] {
  const { charge, chargeReason: reason, endTime, failure, predictSeconds, predictionId } = attempt;
  const facts: Fact[] = [];
  if (failure) facts.push(["Why", `${failureTitle(failure.reason)}. ${failure.message}`]);
  if (endTime) facts.push(["Charge", `${chargeWord(charge)}. ${chargeReason(reason)}`]);
  if (predictSeconds !== undefined) facts.push(["Model ran", took(predictSeconds * 1000)]);
  facts.push(...measured(attempt));
  if (attempt.seed !== undefined) facts.push(["Seed", attempt.seed.toString(), "mono"]);
  if (attempt.modelVersion !== "" && attempt.modelVersion !== "hidden")
    facts.push(["Version", attempt.modelVersion, "mono"]);
  if (predictionId !== "") facts.push(["Prediction", predictionId, "mono"]);
  return facts;
}

/** By the provider's own names; the time that the model ran is told already. */
function measured({ predictSeconds, providerMetrics }: Attempt): Fact[] {
  return Object.entries(providerMetrics)
    .filter(([name]) => name !== "predict_time" || predictSeconds === undefined)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => {
      const text = name.endsWith("_time")
        ? took(value * 1000)
        : Number(value.toFixed(3)).toString();
      return [words(name), text];
    });
}

function words(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
