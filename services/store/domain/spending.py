"""The licence to spend. `begin_submit` is the only one, and needs the lease.

What became of the call is recorded in `recording`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from store.domain.ending import end_without_call
from store.domain.errors import TransitionRefused
from store.domain.failure import Failure
from store.domain.job import (
    Attempt,
    Job,
    Leased,
    Waiting,
    end,
    revise,
    with_attempt,
)
from store.domain.leasing import Refused, must_hold, redispatch
from store.domain.retries import postponement
from store.domain.states import (
    AttemptState,
    Refusal,
    Stage,
    State,
)

SEND_WITHIN = timedelta(seconds=5)  #: from the permit to the last byte
POST_MARGIN = timedelta(seconds=10)  #: what the answer may take to be recorded
LEAST_TIME_LEFT = timedelta(seconds=5)  #: a shorter Cancel-After is not taken by the provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A paid call as the worker is about to make it."""

    submit_token: str
    account: str
    fingerprint: bytes
    input: bytes
    seed: int | None
    post_timeout: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a call beside its job: RECONCILE_SETTLE and the longest run of a model."""

    settle: timedelta
    longest_run: timedelta


@dataclass(frozen=True, slots=True)
class Permit:
    """The licence for one call, and how long it is good for."""

    job: Job
    attempt: Attempt


def begin_submit(
    job: Job, lease_epoch: int, call: Call, limits: Limits, now: datetime
) -> Permit | Refused:
    """Permission to make one paid call, or why not.

    The gate of the provider, its rate and a twin in flight at another job are the caller's to
    check: they are not this job's.
    """
    known = job.by_token(call.submit_token)
    if known is not None and known.state is AttemptState.SUBMITTING and job.holds(lease_epoch):
        return Permit(job, known)
    must_hold(job, lease_epoch)
    if job.current is not None and job.current.state is AttemptState.SUBMITTING:
        raise TransitionRefused(job.job_id, "another call of it is being sent.")
    assert isinstance(job.mover, Leased)
    if job.current is not None or known is not None or job.mover.until <= now:
        return Refused(redispatch(job, now), Refusal.ATTEMPT_OPEN)
    if (saving := late_success(job, now)) is not None:
        return Refused(saving, Refusal.ATTEMPT_OPEN)
    if job.live_orphan(now) and not job.stopping:
        delay = postponement(job.postponements, None, 0.0)
        return Refused(postpone(job, now, delay), Refusal.ATTEMPT_OPEN)
    if job.cancel_request_time is not None:
        return Refused(end_without_call(job, now), Refusal.CANCELED)
    time_left = job.deadline - now
    if time_left <= LEAST_TIME_LEFT:
        return Refused(end_without_call(replace(job, deadline_noted=True), now), Refusal.DEADLINE)
    send_by = now + SEND_WITHIN
    answered_by = send_by + call.post_timeout + POST_MARGIN
    attempt = Attempt(
        number=max((a.number for a in job.attempts), default=0) + 1,
        state=AttemptState.SUBMITTING,
        submit_token=call.submit_token,
        account=call.account,
        fingerprint=call.fingerprint,
        input=call.input,
        seed=call.seed,
        create_time=now,
        send_by=send_by,
        settle_until=answered_by + limits.settle,
        cancel_after=max(5, int(min(time_left, limits.longest_run).total_seconds())),
    )
    mover = replace(job.mover, until=max(job.mover.until, answered_by))
    return Permit(
        revise(job, now, mover=mover, stage=Stage.SUBMITTING, log_tail="",
               attempts=with_attempt(job, attempt)),
        attempt,
    )  # fmt: skip


def fail_unsent(job: Job, lease_epoch: int, failure: Failure, now: datetime) -> Job:
    """The worker can not send what the job asks for: it fails, and nothing is paid for that.

    What earlier calls may have made still comes first. Failing again changes nothing.
    """
    if job.state is State.FAILED and job.lease_epoch == lease_epoch:
        return job
    must_hold(job, lease_epoch)
    if job.current is not None:
        if job.current.state is AttemptState.SUBMITTING:
            raise TransitionRefused(job.job_id, "a call of it is being sent.")
        return redispatch(job, now)
    if (saving := late_success(job, now)) is not None:
        return saving
    if job.stopping:
        return end_without_call(job, now)
    if job.live_orphan(now):
        return postpone(job, now, postponement(job.postponements, None, 0.0))
    return end(job, State.FAILED, now, failure=failure)


def late_success(job: Job, now: datetime) -> Job | None:
    """The job on its way to save what an orphan made beside a call that has ended since."""
    paid = next(
        (a for a in job.attempts if a.state is AttemptState.ORPHAN and a.output is not None),
        None,
    )
    if paid is None:
        return None
    attempts = with_attempt(job, replace(paid, state=AttemptState.SUCCEEDED))
    return revise(redispatch(job, now), now, stage=Stage.SAVING, progress=None, attempts=attempts)


def postpone(job: Job, now: datetime, delay: timedelta, failure: Failure | None = None) -> Job:
    """The job is PENDING again for a reason that is not its own; it does not count as a retry."""
    assert job.current is None, "a live call is never left behind"
    due = now + delay
    return revise(
        redispatch(replace(job, postponements=job.postponements + 1), due),
        now,
        state=State.PENDING,
        stage=None,
        progress=None,
        next_attempt_time=due,
        failure=failure,
    )


def await_account(job: Job, now: datetime, failure: Failure | None = None) -> Job:
    """The provider's account is shut: the job keeps its place in the line until it opens."""
    assert job.current is None, "a live call is never left behind"
    return revise(
        job,
        now,
        state=State.PENDING,
        stage=None,
        progress=None,
        mover=Waiting(),
        failure=failure,
    )
