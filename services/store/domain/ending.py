"""How a job ends before it is done: cancel, deadline. What is done is in `saving`.

With a call in flight, a cancel or the deadline is only noted: the provider is told and its last
word read back, because what it says decides what the job is and what it cost.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from store.domain.failure import deadline_passed, output_lost
from store.domain.job import Job, end, revise
from store.domain.states import AttemptState, Stage, State

OUTPUT_LIFETIME = timedelta(hours=1)  #: how long the provider keeps a result


def end_without_call(job: Job, now: datetime) -> Job:
    """The end of a job that is stopping: it has no live call, or none that will be heard of."""
    if job.cancel_request_time is not None:
        return end(job, State.CANCELED, now)
    return end(job, State.FAILED, now, failure=deadline_passed(job.charge))


def cancel(job: Job, now: datetime) -> Job:
    """The caller lost interest. Canceling a final or canceling job changes nothing."""
    if job.final or job.cancel_request_time is not None:
        return job
    return _stop(replace(job, cancel_request_time=now), now)


def note_deadline(job: Job, now: datetime) -> Job:
    """The job's time is up."""
    if job.final or job.deadline_noted or job.deadline > now:
        return job
    return _stop(replace(job, deadline_noted=True), now)


def _stop(job: Job, now: datetime) -> Job:
    attempt = job.current
    if attempt is None:
        return end_without_call(job, now)
    if attempt.state is AttemptState.UNRESOLVED:
        return end_without_call(job, now)
    if attempt.state is AttemptState.SUCCEEDED:
        return revise(job, now)  # paid for, so it is saved all the same
    return revise(job, now, stage=Stage.CANCELING)


def give_up_waiting(job: Job, now: datetime, settle: timedelta) -> Job:
    """The end of a job whose last word never came, well after its deadline."""
    attempt = job.current
    if job.final or attempt is None or not job.stopping:
        return job
    if attempt.state is AttemptState.SUCCEEDED:
        last = (attempt.end_time or now) + OUTPUT_LIFETIME
        return end(job, State.FAILED, now, failure=output_lost()) if now > last else job
    asked = min(job.cancel_request_time or job.deadline, job.deadline)
    if now <= max(asked, attempt.settle_until) + settle:
        return job
    return end_without_call(job, now)
