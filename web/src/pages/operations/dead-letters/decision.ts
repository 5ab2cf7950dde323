// What would become of dead letters, and what became of them? Asked first, decided then.
import type { DeadLetterResult } from "@/gen/mediagen/v1/operator_service_pb";
import { DeadLetterResult_Outcome as Outcome } from "@/gen/mediagen/v1/operator_service_pb";
import { bounded, operator } from "@/api/clients";

export type DecisionKind = "redrive" | "discard";

export interface Decision {
  kind: DecisionKind;
  jobIds: readonly string[];
}

/** The most that the service takes in one call. */
export const MOST_AT_ONCE = 500;

/** Nothing is changed. */
export async function previewOf(
  { jobIds, kind }: Decision,
  signal: AbortSignal,
): Promise<DeadLetterResult[]> {
  const request = { jobIds: [...jobIds], validateOnly: true };
  const ask = kind === "redrive" ? operator.redriveDeadLetters : operator.discardDeadLetters;
  return (await ask(request, bounded(signal))).results;
}

export interface Plan {
  /** Nothing stands in the way. */
  free: readonly string[];
  /** Only by force: an earlier call may have been paid for. */
  mayPayTwice: readonly string[];
  /** Nothing can be done about them; each says why. */
  refused: readonly DeadLetterResult[];
}

export function planOf(results: readonly DeadLetterResult[]): Plan {
  const of = (outcome: Outcome): string[] =>
    results.filter((result) => result.outcome === outcome).map(({ jobId }) => jobId);
  return {
    free: of(Outcome.DONE),
    mayPayTwice: of(Outcome.MAY_PAY_TWICE),
    refused: results.filter(
      ({ outcome }) => outcome !== Outcome.DONE && outcome !== Outcome.MAY_PAY_TWICE,
    ),
  };
}

/**
 * Decides. Force goes only with those that were shown to be paid for a second time: one that came
 * to be so since is refused. Both calls may be repeated.
 */
export async function decide(
  kind: DecisionKind,
  { free, mayPayTwice }: Plan,
  force: boolean,
): Promise<DeadLetterResult[]> {
  const results: DeadLetterResult[] = [];
  if (kind === "discard") {
    return (await operator.discardDeadLetters({ jobIds: [...free] }, bounded())).results;
  }
  if (free.length > 0) {
    const done = await operator.redriveDeadLetters({ jobIds: [...free] }, bounded());
    results.push(...done.results);
  }
  if (force && mayPayTwice.length > 0) {
    const request = { jobIds: [...mayPayTwice], force: true };
    results.push(...(await operator.redriveDeadLetters(request, bounded())).results);
  }
  return results;
}
