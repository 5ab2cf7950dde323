"""What the command line says about dead letters, without any server."""

from __future__ import annotations

import pytest

from mediagen.cli import exits, letter_words
from mediagen.cli.exits import Exit
from mediagen.cli.letter_options import ChargeWord, LetterWord, parse_reason
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES, Charge, ChargeReason
from mediagen.v1.dead_letter_pb2 import DeadLetter
from mediagen.v1.failure_pb2 import FailureReason
from mediagen.v1.job_pb2 import Job
from mediagen.v1.operator_service_pb2 import DeadLetterResult

Outcome = DeadLetterResult.Outcome


@pytest.mark.parametrize("value", Outcome.values()[1:])
@pytest.mark.parametrize("verb", ["redrive", "discard"])
def test_every_outcome_has_words(verb: letter_words.Verb, value: Outcome.ValueType) -> None:
    """None is shown by its name in the contract."""
    result = DeadLetterResult(job_id="j1", outcome=value)
    said = letter_words.became(verb, result)
    assert said
    assert Outcome.Name(value).removeprefix("OUTCOME_").lower() not in said


@pytest.mark.parametrize("value", [*ChargeReason.values()[1:]])
def test_every_charge_reason_has_words(value: ChargeReason.ValueType) -> None:
    """Whether and why a call is billed is what an operator decides by."""
    name = ChargeReason.Name(value).removeprefix("CHARGE_REASON_").lower().replace("_", " ")
    assert letter_words.charge_reason(value) not in ("", name)


def test_what_a_newer_server_says_is_shown_as_it_is() -> None:
    """An open enum: its number, and never as done."""
    result = DeadLetterResult(job_id="j1", outcome=99)  # type: ignore[arg-type]
    assert letter_words.became("redrive", result) == "99"
    assert letter_words.charge_reason(99) == "99"
    assert letter_words.summary("redrive", [result]) == "1 not decided"
    assert exits.of_outcomes([result]) is Exit.UNAVAILABLE
    assert letter_words.paid(DeadLetter()) == "unknown"


def test_every_state_charge_and_reason_can_be_asked_for() -> None:
    """The options know all words of the contract."""
    states = [each.removeprefix("STATE_").lower() for each in DeadLetter.State.keys()[1:]]
    assert [each.value for each in LetterWord] == states
    assert all(
        letter_words.state_meaning(DeadLetter(state=n)) for n in DeadLetter.State.values()[1:]
    )
    charges = [each.removeprefix("CHARGE_").lower() for each in Charge.keys()[1:]]
    assert sorted(each.value for each in ChargeWord) == sorted(charges)
    for name in FailureReason.keys()[1:]:
        short = name.removeprefix("FAILURE_REASON_")
        assert parse_reason(short.lower().replace("_", "-")) == short


@pytest.mark.parametrize(
    ("charges", "said"),
    [
        ([], ""),
        ([CHARGE_NO, CHARGE_NO], ""),
        ([CHARGE_NO, CHARGE_UNKNOWN], "attempt 2"),
        ([CHARGE_YES, CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES], "attempts 1, 3 and 4"),
    ],
)
def test_which_calls_may_be_paid(charges: list[Charge.ValueType], said: str) -> None:
    """All that are not known to be free."""
    job = Job()
    for number, charge in enumerate(charges, 1):
        job.attempts.add(number=number, charge=charge)
    assert letter_words.may_be_paid(job) == said


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], Exit.OK),
        (["DONE", "ALREADY_DONE"], Exit.OK),
        (["DONE", "MAY_PAY_TWICE"], Exit.UNDONE),
        (["NOT_OPEN"], Exit.UNDONE),
        (["NOT_FOUND", "DONE"], Exit.UNDONE),
        (["UNAVAILABLE", "MAY_PAY_TWICE"], Exit.UNAVAILABLE),
        (["UNSPECIFIED", "DONE"], Exit.UNAVAILABLE),
    ],
)
def test_an_exit_code_says_whether_all_was_done(outcomes: list[str], code: Exit) -> None:
    """What was not decided counts more than what was refused: repeating helps there."""
    results = [DeadLetterResult(outcome=Outcome.Value(f"OUTCOME_{each}")) for each in outcomes]
    assert exits.of_outcomes(results) is code


def test_a_job_that_goes_on_itself_is_not_called_a_new_one() -> None:
    """A parked job keeps its id."""
    result = DeadLetterResult(job_id="j1", redriven_as="j1", outcome=DeadLetterResult.OUTCOME_DONE)
    assert letter_words.became("redrive", result) == "redriven: it goes on itself"
    result.outcome = DeadLetterResult.OUTCOME_ALREADY_DONE
    assert letter_words.became("redrive", result) == "was redriven before"
    result.redriven_as = "j2"
    assert letter_words.became("redrive", result) == "was redriven before, as j2"
