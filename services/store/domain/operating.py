"""What an operator decides about a job that was given up, or is parked.

A failed job is final and stays as it is: to redrive it makes a new job of the same request. A
parked job is not final, so it goes on itself. Paying again for what may have been paid for is
never done unasked: `may_have_paid` says when it has to be forced.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from store.domain.failure import unresolved
from store.domain.job import Job, Waiting, end, revise
from store.domain.states import OCCUPYING, AttemptState, Charge, LetterState, State


class Outcome(StrEnum):
    """What became of one decision about one job."""

    DONE = "DONE"
    ALREADY_DONE = "ALREADY_DONE"
    MAY_PAY_TWICE = "MAY_PAY_TWICE"
    NOT_OPEN = "NOT_OPEN"
    NOT_FOUND = "NOT_FOUND"
    UNAVAILABLE = "UNAVAILABLE"
    SECRETS_WIPED = "SECRETS_WIPED"  # pragma: allowlist secret


def may_have_paid(job: Job) -> bool:
    """A call of the job was paid for, or nobody knows that it was not."""
    return job.charge is not Charge.NO


def redrive_failed(job: Job, anew: UUID) -> Job:
    """The failed job, made again as *anew*. Its calls are written off: nobody waits for them."""
    assert job.dead_letter
    assert job.redriven_as is None
    return _written_off(replace(job, redriven_as=anew))


def redrive_parked(job: Job, now: datetime) -> Job:
    """The parked job waits for its turn again, and its call is written off."""
    assert job.parked
    return revise(
        _written_off(job),
        now,
        state=State.PENDING,
        stage=None,
        progress=None,
        mover=Waiting(),
        failure=None,
        next_attempt_time=None,
    )


def discard_parked(job: Job, now: datetime) -> Job:
    """The parked job fails: nobody waits for its call any more."""
    assert job.parked
    return end(_written_off(job), State.FAILED, now, failure=unresolved())


def _written_off(job: Job) -> Job:
    attempts = tuple(
        replace(each, state=AttemptState.WRITTEN_OFF) if each.state in OCCUPYING else each
        for each in job.attempts
    )
    return replace(job, attempts=attempts)


def judge_redrive(
    job: Job, letter: LetterState, *, force: bool, took_secrets: bool = False
) -> Outcome:
    """What asking for a redrive of the job comes to."""
    if letter is LetterState.REDRIVEN:
        return Outcome.ALREADY_DONE
    open_ = job.parked or (job.dead_letter and letter is not LetterState.RESOLVED)
    if not open_:
        return Outcome.NOT_OPEN
    if took_secrets and job.final:
        return Outcome.SECRETS_WIPED
    return Outcome.MAY_PAY_TWICE if may_have_paid(job) and not force else Outcome.DONE


def judge_discard(job: Job, letter: LetterState) -> Outcome:
    """What asking for the job to be left as it is comes to."""
    if letter is LetterState.DISCARDED:
        return Outcome.ALREADY_DONE
    undecided = letter in (LetterState.PARKED, LetterState.DEAD)
    return Outcome.DONE if undecided and (job.parked or job.dead_letter) else Outcome.NOT_OPEN
