// What is said of a failure, of a call to the provider and of what it costs?
//
// All of these enums are open: what this page does not know yet is told by its name.
import { Attempt_State, ChargeReason } from "@/gen/mediagen/v1/attempt_pb";
import { FailureReason } from "@/gen/mediagen/v1/failure_pb";
import { Job_Stage } from "@/gen/mediagen/v1/job_pb";

type Words = Readonly<Record<number, string>>;

const FAILURES: Words = {
  [FailureReason.INVALID_INPUT]: "Inputs refused",
  [FailureReason.MODEL_NOT_FOUND]: "Model not found",
  [FailureReason.CONTENT_REJECTED]: "Content rejected",
  [FailureReason.MODEL_FAILED]: "Model failed",
  [FailureReason.PROVIDER_FAILED]: "Provider failed",
  [FailureReason.PROVIDER_REFUSED]: "Provider refused",
  [FailureReason.DEADLINE]: "Out of time",
  [FailureReason.NO_OUTPUT]: "No output",
  [FailureReason.OUTPUT_REJECTED]: "Output rejected",
  [FailureReason.OUTPUT_LOST]: "Output lost",
  [FailureReason.INTERNAL]: "Stopped every worker",
  [FailureReason.UNRESOLVED]: "Outcome not known",
};

const ATTEMPTS: Words = {
  [Attempt_State.SUBMITTING]: "Being sent",
  [Attempt_State.SUBMITTED]: "At the provider",
  [Attempt_State.UNKNOWN]: "Answer lost, being looked up",
  [Attempt_State.SUCCEEDED]: "Succeeded",
  [Attempt_State.FAILED]: "Failed",
  [Attempt_State.CANCELED]: "Canceled while it ran",
  [Attempt_State.ABORTED]: "Ended before it started",
  [Attempt_State.NOT_CREATED]: "Never came to be",
  [Attempt_State.UNRESOLVED]: "Outcome not known",
  [Attempt_State.ORPHAN]: "Left behind",
  [Attempt_State.WRITTEN_OFF]: "Closed by an operator",
};

const CHARGES: Words = {
  [ChargeReason.UNSPECIFIED]: "The call has not ended.",
  [ChargeReason.NOT_CREATED]: "Nothing was created at the provider.",
  [ChargeReason.NEVER_RAN]: "It ended before the model ran.",
  [ChargeReason.SUCCEEDED]: "The model succeeded.",
  [ChargeReason.RAN_UNTIL_CANCELED]: "The model ran until it was canceled; that time is billed.",
  [ChargeReason.RAN_AND_FAILED]:
    "The model ran and failed; whether that is billed depends on how it is priced.",
  [ChargeReason.RUN_TIME_UNKNOWN]: "The provider did not say whether the model had run.",
  [ChargeReason.OUTCOME_UNKNOWN]: "How the call ended could not be found out.",
};

const STAGES: Words = {
  [Job_Stage.STARTING]: "The provider starts the model",
  [Job_Stage.PROCESSING]: "The model runs",
  [Job_Stage.SAVING]: "The results are being stored",
  [Job_Stage.RECONCILING]: "The answer was lost; its outcome is looked up, not repeated",
  [Job_Stage.CANCELING]: "The provider is told to stop",
};

export function failureTitle(reason: FailureReason): string {
  return FAILURES[reason] ?? named(FailureReason[reason]);
}

export function attemptTitle(state: Attempt_State): string {
  return ATTEMPTS[state] ?? named(Attempt_State[state]);
}

/** A sentence. */
export function chargeReason(reason: ChargeReason): string {
  return CHARGES[reason] ?? `${named(ChargeReason[reason])}.`;
}

export function stageTitle(stage: Job_Stage): string {
  return STAGES[stage] ?? named(Job_Stage[stage]);
}

/** "PROVIDER_FAILED": "Provider failed" */
function named(name: string | undefined): string {
  const words = (name ?? "Not known").replaceAll("_", " ");
  return words.slice(0, 1).toUpperCase() + words.slice(1).toLowerCase();
}
