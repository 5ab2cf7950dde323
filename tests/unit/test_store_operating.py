"""What asking for a redrive or a discard comes to, for every job and letter there can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from store.domain import operating, reconciling
from store.domain.failure import Failure, output_lost
from store.domain.job import Attempt, Job, Reconciling, end
from store.domain.operating import Outcome, judge_discard, judge_redrive
from store.domain.states import AttemptState, Charge, LetterState, Stage, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANEW = UUID(int=2)
CALL = Attempt(
    number=1, state=AttemptState.FAILED, submit_token="t", account="a", fingerprint=b"f",
    input=b"", create_time=NOW, send_by=NOW, settle_until=NOW, cancel_after=60,
)  # fmt: skip
JOB = Job(
    job_id=UUID(int=1), tenant="x", create_time=NOW, update_time=NOW,
    deadline=NOW + timedelta(hours=1), state=State.RUNNING, start_time=NOW,
)  # fmt: skip


def failed(state: AttemptState, charge: Charge) -> Job:
    """Given up after one call."""
    job = replace(JOB, attempts=(replace(CALL, state=state, charge=charge),))
    return end(job, State.FAILED, NOW, failure=output_lost())


FREE = failed(AttemptState.NOT_CREATED, Charge.NO)
PAID = failed(AttemptState.SUCCEEDED, Charge.YES)
DOUBTED = failed(AttemptState.FAILED, Charge.UNKNOWN)
PARKED = replace(
    JOB, stage=Stage.RECONCILING, mover=Reconciling(),
    attempts=(replace(CALL, state=AttemptState.UNRESOLVED),),
)  # fmt: skip
RUNNING = replace(JOB, attempts=(replace(CALL, state=AttemptState.SUBMITTED, prediction_id="p"),))
CALLERS = end(JOB, State.FAILED, NOW, failure=Failure("FAILURE_REASON_INVALID_INPUT", "No."))
CANCELED = end(replace(JOB, cancel_request_time=NOW), State.CANCELED, NOW)
GIVEN_UP = (FREE, PAID, DOUBTED)
ONGOING = (RUNNING, CALLERS, CANCELED)


@pytest.mark.parametrize("letter", LetterState)
@pytest.mark.parametrize("job", [*GIVEN_UP, PARKED, *ONGOING])
def test_paying_again_is_never_done_unasked(job: Job, letter: LetterState) -> None:
    """Whatever the letter says: without force only what surely cost nothing is made again."""
    if judge_redrive(job, letter, force=False) is Outcome.DONE:
        assert job.charge is Charge.NO


@pytest.mark.parametrize("job", ONGOING)
@pytest.mark.parametrize("letter", [each for each in LetterState if each != "REDRIVEN"])
def test_a_job_that_goes_on_or_is_its_caller_s_own_is_not_open(
    job: Job, letter: LetterState
) -> None:
    """Forced or not."""
    for force in (False, True):
        assert judge_redrive(job, letter, force=force) is Outcome.NOT_OPEN
    if letter is not LetterState.DISCARDED:
        assert judge_discard(job, letter) is Outcome.NOT_OPEN


@pytest.mark.parametrize("job", [*GIVEN_UP, PARKED])
def test_each_decision_is_final_but_a_discard_can_be_taken_back(job: Job) -> None:
    """A redrive can not: it may have been paid for by now."""
    open_ = LetterState.PARKED if job is PARKED else LetterState.DEAD
    assert judge_discard(job, open_) is Outcome.DONE
    assert judge_discard(job, LetterState.DISCARDED) is Outcome.ALREADY_DONE
    assert judge_discard(job, LetterState.REDRIVEN) is Outcome.NOT_OPEN
    assert judge_redrive(job, open_, force=True) is Outcome.DONE
    assert judge_redrive(job, LetterState.REDRIVEN, force=False) is Outcome.ALREADY_DONE
    refused = Outcome.DONE if job is FREE else Outcome.MAY_PAY_TWICE
    assert judge_redrive(job, open_, force=False) is refused
    if job is not PARKED:
        assert judge_redrive(job, LetterState.DISCARDED, force=True) is Outcome.DONE


@pytest.mark.parametrize("job", GIVEN_UP)
def test_a_failed_job_that_is_made_again_changes_in_its_record_alone(job: Job) -> None:
    """No revision, no state, no charge: its watchers have seen its end."""
    after = operating.redrive_failed(job, ANEW)
    assert (after.redriven_as, after.revision, after.state) == (ANEW, job.revision, job.state)
    assert after.charge is job.charge
    assert after.current is None


def test_a_parked_job_goes_on_or_ends_with_its_call_written_off() -> None:
    """As a new revision, which its watchers see."""
    again = operating.redrive_parked(PARKED, NOW)
    gone = operating.discard_parked(PARKED, NOW)
    assert (again.state, gone.state) == (State.PENDING, State.FAILED)
    for after in (again, gone):
        assert after.revision == PARKED.revision + 1
        assert [each.state for each in after.attempts] == [AttemptState.WRITTEN_OFF]
        assert after.charge is Charge.UNKNOWN
        assert not after.parked


def test_a_call_that_was_written_off_is_still_looked_for() -> None:
    """It may run beside the one that took its place: found, it is adopted, or known and ended."""
    reopened = operating.redrive_parked(PARKED, NOW)
    shown = reconciling.Evidence(began=NOW, strong=("found",), weak=0, shows_later=False)
    gap = timedelta(seconds=30)
    adopted = reconciling.weigh(reopened, CALL.submit_token, shown, NOW, gap, 0.0)
    assert [each.state for each in adopted.attempts] == [AttemptState.SUBMITTED]
    discarded = operating.discard_parked(PARKED, NOW)
    late = reconciling.weigh(discarded, CALL.submit_token, shown, NOW, gap, 0.0)
    assert [each.state for each in late.attempts] == [AttemptState.ORPHAN]
