"""How are dead letters, and what was decided about them, said to people? Pure, as words.py is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mediagen.cli import words
from mediagen.v1 import attempt_pb2 as attempt
from mediagen.v1.attempt_pb2 import CHARGE_NO, Attempt, ChargeReason
from mediagen.v1.dead_letter_pb2 import DeadLetter
from mediagen.v1.job_pb2 import Job
from mediagen.v1.operator_service_pb2 import DeadLetterResult

Verb = Literal["redrive", "discard"]
DONE: dict[Verb, str] = {"redrive": "redriven", "discard": "discarded"}

_STATES: dict[int, str] = {
    DeadLetter.STATE_PARKED: "the outcome of a paid call can not be found out",
    DeadLetter.STATE_DEAD: "the job has failed, and nobody has decided about it",
    DeadLetter.STATE_REDRIVEN: "an operator let it be made again",
    DeadLetter.STATE_DISCARDED: "an operator decided that nothing is to be done",
    DeadLetter.STATE_RESOLVED: "it went on by itself",
}
_CHARGES: dict[int, str] = {
    attempt.CHARGE_NO: "no",
    attempt.CHARGE_YES: "yes",
    attempt.CHARGE_UNKNOWN: "unknown",
}
_CHARGE_REASONS: dict[int, str] = {
    attempt.CHARGE_REASON_NOT_CREATED: "nothing was created at the provider",
    attempt.CHARGE_REASON_NEVER_RAN: "it ended before the model ran",
    attempt.CHARGE_REASON_SUCCEEDED: "it succeeded",
    attempt.CHARGE_REASON_RAN_UNTIL_CANCELED: "it was canceled while the model ran",
    attempt.CHARGE_REASON_RAN_AND_FAILED: "it ran and failed, which some models bill",
    attempt.CHARGE_REASON_RUN_TIME_UNKNOWN: "it ended, and may have run before",
    attempt.CHARGE_REASON_OUTCOME_UNKNOWN: "its outcome could not be found out",
}
_OUTCOMES: dict[int, str] = {
    DeadLetterResult.OUTCOME_MAY_PAY_TWICE: "refused: it may have been paid for",
    DeadLetterResult.OUTCOME_NOT_OPEN: "refused",
    DeadLetterResult.OUTCOME_SECRETS_WIPED: (
        "refused: its secret inputs were wiped as it ended; submit it anew with them"
    ),
    DeadLetterResult.OUTCOME_NOT_FOUND: "not found: it was never given up or parked",
    DeadLetterResult.OUTCOME_UNAVAILABLE: "not decided: a part of the service did not answer",
}


def state(letter: DeadLetter) -> str:
    """ "parked", "dead", …"""
    return words.enum_word(DeadLetter.State, "STATE_", letter.state)


def state_meaning(letter: DeadLetter) -> str:
    """What the state says; empty if this version does not know it."""
    return _STATES.get(letter.state, "")


def paid(letter: DeadLetter) -> str:
    """Whether anything may have been paid, in one word."""
    return _CHARGES.get(letter.charge, "unknown")


def charge_reason(value: int) -> str:
    """Why a call is billed or not; empty for one that has not ended."""
    if value in _CHARGE_REASONS or not value:
        return _CHARGE_REASONS.get(value, "")
    return words.enum_word(ChargeReason, "CHARGE_REASON_", value).replace("_", " ")


def may_be_paid(job: Job) -> str:
    """Which calls may have been paid for: "attempts 1 and 3"; empty if none."""
    *first, last = [str(each.number) for each in job.attempts if each.charge != CHARGE_NO] or [""]
    if first:
        return f"attempts {', '.join(first)} and {last}"
    return f"attempt {last}" if last else ""


def attempt_lines(call: Attempt) -> list[str]:
    """Everything about one call, a line for each thing."""
    because = charge_reason(call.charge_reason)
    charged = f"charged: {words.charge(call.charge)}"
    lines = [
        words.enum_word(Attempt.State, "STATE_", call.state).replace("_", " "),
        f"{charged}; {because}" if because else charged,
        f"prediction {words.plain(call.prediction_id)}" if call.prediction_id else "no prediction",
    ]
    if call.HasField("create_time"):
        lines.append(f"sent {words.when(call.create_time)}")
    if call.HasField("end_time"):
        lines[-1] += f", ended {words.when(call.end_time)}"
    ran = call.HasField("predict_seconds")
    measured = [f"ran {words.duration(call.predict_seconds)}"] if ran else []
    measured += filter(None, [words.metrics(call)])
    if measured:
        lines.append(", ".join(measured))
    if call.HasField("failure"):
        reason, message = words.reason(call.failure.reason), words.plain(call.failure.message)
        lines.append(f"{reason}: {message}" if message else reason)
    return lines


def redrive_would(letter: DeadLetter, result: DeadLetterResult) -> str:
    """What a redrive would do, as the server foresees it."""
    parked = letter.state == DeadLetter.STATE_PARKED
    makes = "the job goes on itself" if parked else "a new job of the same request is made"
    if result.outcome == DeadLetterResult.OUTCOME_DONE:
        return makes
    if result.outcome == DeadLetterResult.OUTCOME_MAY_PAY_TWICE:
        return (
            f"refused: it may have been paid for. With --force {makes}, and may be paid for again"
        )
    return became("redrive", result)


def became(verb: Verb, result: DeadLetterResult) -> str:
    """What became of one dead letter."""
    done, anew = DONE[verb], words.plain(result.redriven_as)
    itself = anew == words.plain(result.job_id)
    if result.outcome == DeadLetterResult.OUTCOME_DONE:
        if itself:
            return f"{done}: it goes on itself"
        return f"{done} as {anew}" if anew else done
    if result.outcome == DeadLetterResult.OUTCOME_ALREADY_DONE:
        return f"was {done} before" + (f", as {anew}" if anew and not itself else "")
    known = _OUTCOMES.get(result.outcome)
    if known is None:
        known = words.enum_word(DeadLetterResult.Outcome, "OUTCOME_", result.outcome)
    message = words.plain(result.message)
    if result.outcome == DeadLetterResult.OUTCOME_NOT_OPEN and message:
        return f"{known}: {message}"
    return known


def would_become(verb: Verb, result: DeadLetterResult, pays_again: bool) -> str:
    """What would become of one dead letter. pays_again: only because it is forced."""
    if result.outcome != DeadLetterResult.OUTCOME_DONE:
        return became(verb, result)
    again = ", and paid again if it was paid for" if pays_again else ""
    return f"would be {DONE[verb]}{again}"


def summary(verb: Verb, results: Iterable[DeadLetterResult]) -> str:
    """ "2 redriven, 1 refused"."""
    said = {
        DeadLetterResult.OUTCOME_DONE: DONE[verb],
        DeadLetterResult.OUTCOME_ALREADY_DONE: f"{DONE[verb]} before",
        DeadLetterResult.OUTCOME_MAY_PAY_TWICE: "refused",
        DeadLetterResult.OUTCOME_NOT_OPEN: "refused",
        DeadLetterResult.OUTCOME_SECRETS_WIPED: "refused",  # pragma: allowlist secret
        DeadLetterResult.OUTCOME_NOT_FOUND: "not found",
    }
    counts: dict[str, int] = {}
    for each in results:
        word = said.get(each.outcome, "not decided")
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())
