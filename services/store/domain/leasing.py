"""Who may work on a job: admit, claim, keep, release, expire.

`dispatch` fences messages and `lease_epoch` fences workers, so that a doubled message finds
nothing to claim and a worker that was thought dead can not decide anything any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from store.domain.ending import end_without_call
from store.domain.errors import LeaseLost, TransitionRefused
from store.domain.failure import worker_killer
from store.domain.job import (
    Dispatched,
    Job,
    Leased,
    Reconciling,
    Waiting,
    end,
    revise,
    with_attempt,
)
from store.domain.retries import GIVE_UP_AFTER, QUARANTINE_AFTER, takeover_delay
from store.domain.states import AttemptState, Refusal, Road, Stage, State, WorkClass

#: A watcher is told of progress at most this often.
SHOW_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Claimed:
    """The job with its new lease, and which road to take."""

    job: Job
    road: Road


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the worker does not get what it asked for; `job` may have ended over it."""

    job: Job
    reason: Refusal
    retry_after: timedelta | None = None


def redispatch(job: Job, due: datetime) -> Job:
    """The job on its way to any worker at *due*, under a new dispatch number. Not a revision."""
    return replace(job, mover=Dispatched(due), dispatch=job.dispatch + 1)


def admit(job: Job, now: datetime) -> Job:
    """The job may run soon."""
    return redispatch(job, now) if isinstance(job.mover, Waiting) else job


def road_of(job: Job) -> Road:
    """What is to be done with the job by whoever holds it."""
    attempt = job.current
    if attempt is None:
        return Road.SUBMIT
    return Road.SAVE if attempt.state is AttemptState.SUCCEEDED else Road.OBSERVE


def claim(
    job: Job, *, dispatch: int, worker: str, token: str, now: datetime, lease: timedelta
) -> Claimed | Refused:
    """A worker takes the job that a message named.

    Only the same token claims twice: a second worker is never told that all is well. A message
    that is not yet due is honoured, because its delivery is about to be acked.
    """
    if isinstance(job.mover, Leased) and (job.mover.owner, job.mover.token) == (
        worker,
        token,
    ):
        return Claimed(job, road_of(job))
    if job.final or job.dispatch != dispatch or not isinstance(job.mover, Dispatched):
        return Refused(job, Refusal.NOTHING_TO_CLAIM)
    if job.current is None and (job.stopping or job.deadline <= now):
        reason = Refusal.CANCELED if job.cancel_request_time else Refusal.DEADLINE
        return Refused(end_without_call(job, now), reason)
    leased = replace(job, mover=Leased(worker, token, now + lease), lease_epoch=job.lease_epoch + 1)
    road = road_of(leased)
    if job.state is State.PENDING:
        leased = revise(
            leased,
            now,
            state=State.RUNNING,
            stage=Stage.SUBMITTING,
            start_time=job.start_time or now,
            next_attempt_time=None,
            failure=None,
        )
    return Claimed(leased, road)


def must_hold(job: Job, lease_epoch: int) -> None:
    """LeaseLost unless the worker with this fence holds the job."""
    if job.final or not job.holds(lease_epoch):
        raise LeaseLost(job.job_id)


def unstretch(job: Job, now: datetime, lease: timedelta) -> Job:
    """The lease that was stretched over a paid call is an ordinary one again: it was answered."""
    if not isinstance(job.mover, Leased):
        return job
    return replace(job, mover=replace(job.mover, until=min(job.mover.until, now + lease)))


def report(
    job: Job, stage: Stage | None, progress: int | None, log_tail: str | None, now: datetime
) -> Job | None:
    """What the worker sees; None: too soon after the last change, report it again.

    A job that is being canceled goes on saying so.
    """
    attempt = job.current
    if job.stopping or attempt is None or attempt.state is not AttemptState.SUBMITTED:
        return job
    if stage not in (Stage.STARTING, Stage.PROCESSING):
        stage = job.stage
    if progress is None:
        progress = job.progress
    if log_tail is None:
        log_tail = job.log_tail
    if (stage, progress, log_tail) == (job.stage, job.progress, job.log_tail):
        return job
    if stage == job.stage and now - job.update_time < SHOW_EVERY:
        return None
    return revise(job, now, stage=stage, progress=progress, log_tail=log_tail)


def release(
    job: Job, lease_epoch: int, delay: timedelta, now: datetime, *, failed: bool = False
) -> Job:
    """The worker hands the job back. Without an open call it is PENDING again.

    One that *failed* on the job counts it as a lease lost: the delay grows, and the job is set
    apart or given up like one that kills its workers.
    """
    must_hold(job, lease_epoch)
    attempt = job.current
    if failed and (attempt is None or attempt.state is not AttemptState.SUBMITTING):
        return _strike(job, now, delay)
    if attempt is None:
        if job.stopping:
            return end_without_call(job, now)
        due = now + delay
        return revise(redispatch(job, due), now, state=State.PENDING, stage=None,
                      next_attempt_time=due if delay else None)  # fmt: skip
    if attempt.state is AttemptState.SUBMITTING:
        raise TransitionRefused(job.job_id, "a paid call is being sent; record what became of it.")
    return redispatch(job, now + delay)


def expire(job: Job, now: datetime, *, excused: bool = False) -> Job:
    """The lease ran out: the worker is dead, cut off, or asleep.

    A call that may have been sent is looked up, not repeated; anything else goes to another
    worker, alone in its queue once it has lost several, and given up if it goes on killing them
    with nothing at stake. A worker that could not keep its lease, because nobody took its
    heartbeats, is *excused*: that says nothing against the job.
    """
    if not isinstance(job.mover, Leased) or job.mover.until > now:
        return job
    attempt = job.current
    if attempt is not None and attempt.state is AttemptState.SUBMITTING:
        return to_reconciler(job, now)
    if excused and not (job.stopping and attempt is None):
        return redispatch(job, now)
    return _strike(job, now, timedelta())


def _strike(job: Job, now: datetime, least: timedelta) -> Job:
    """A worker was lost over the job, or failed on it: another goes on, after *least* or more."""
    if job.stopping and job.current is None:
        return end_without_call(job, now)
    takeovers = job.takeovers + 1
    if takeovers >= GIVE_UP_AFTER and job.current is None:
        return end(job, State.FAILED, now, failure=worker_killer())
    job = replace(
        job,
        takeovers=takeovers,
        work_class=WorkClass.QUARANTINE if takeovers >= QUARANTINE_AFTER else job.work_class,
    )
    return redispatch(job, now + max(least, takeover_delay(takeovers - 1)))


def to_reconciler(job: Job, now: datetime) -> Job:
    """The answer to the call is lost: its outcome is looked up by the reconciler."""
    attempt = job.current
    assert attempt is not None
    assert attempt.state is AttemptState.SUBMITTING
    return revise(
        job,
        now,
        mover=Reconciling(),
        stage=Stage.CANCELING if job.stopping else Stage.RECONCILING,
        attempts=with_attempt(job, replace(attempt, state=AttemptState.UNKNOWN)),
    )
