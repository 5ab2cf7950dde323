// Which dead letters are shown? The URL says it.
import { useSearchParams } from "react-router";

import { Charge } from "@/gen/mediagen/v1/attempt_pb";
import { DeadLetter_State } from "@/gen/mediagen/v1/dead_letter_pb";
import { FailureReason } from "@/gen/mediagen/v1/failure_pb";
import type { LetterFilter } from "@/pages/operations/queries";

/** As the URL and the choices say it. "" is what is shown where nothing is said. */
export const STATES: readonly { id: string; name: string; states: DeadLetter_State[] }[] = [
  { id: "", name: "Undecided", states: [DeadLetter_State.PARKED, DeadLetter_State.DEAD] },
  { id: "parked", name: "Parked", states: [DeadLetter_State.PARKED] },
  { id: "dead", name: "Given up", states: [DeadLetter_State.DEAD] },
  { id: "redriven", name: "Made again", states: [DeadLetter_State.REDRIVEN] },
  { id: "discarded", name: "Discarded", states: [DeadLetter_State.DISCARDED] },
  { id: "resolved", name: "Resolved", states: [DeadLetter_State.RESOLVED] },
  {
    id: "all",
    name: "All",
    states: [
      DeadLetter_State.PARKED,
      DeadLetter_State.DEAD,
      DeadLetter_State.REDRIVEN,
      DeadLetter_State.DISCARDED,
      DeadLetter_State.RESOLVED,
    ],
  },
];

export interface LetterChoice {
  letters: string;
  reason: string;
  charge: string;
  model: string;
}

const NAMES = ["letters", "reason", "charge", "model"] as const;

export function useLetterChoice(): [LetterChoice, (name: keyof LetterChoice, to: string) => void] {
  const [params, setParams] = useSearchParams();
  const [letters, reason, charge, model] = NAMES.map((name) => params.get(name) ?? "");
  const choose = (name: keyof LetterChoice, to: string): void =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (to === "") after.delete(name);
        else after.set(name, to);
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
  return [
    { letters: letters ?? "", reason: reason ?? "", charge: charge ?? "", model: model ?? "" },
    choose,
  ];
}

/** What the service is asked for. A word that it does not know means nothing. */
export function filterOf({ charge, letters, model, reason }: LetterChoice): LetterFilter {
  const chosen = STATES.find(({ id }) => id === letters);
  return {
    states: chosen?.states ?? [],
    model,
    reasons: valuesOf(FailureReason, reason),
    charges: valuesOf(Charge, charge),
  };
}

/** The word of the URL for a value of an enum: "provider_failed". */
export function wordOf(names: Readonly<Record<number, string>>, value: number): string {
  return names[value]?.toLowerCase() ?? "";
}

function valuesOf<T extends number>(
  values: Readonly<Record<string, string | T>>,
  word: string,
): T[] {
  const value = values[word.toUpperCase()];
  return typeof value === "number" && value !== 0 ? [value] : [];
}
