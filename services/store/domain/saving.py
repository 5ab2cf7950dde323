"""How the result of a paid call is kept: artifact by artifact, then the job is done.

Only the worker that holds the lease says what is stored. What is listed stays as it is: it may have
been downloaded already, so a worker that stores the same output again adds only what is missing.
"""

from __future__ import annotations

from datetime import datetime

from store.domain.errors import LeaseLost, TransitionRefused
from store.domain.failure import Failure
from store.domain.job import Artifact, Job, end, revise
from store.domain.states import AttemptState, State


def record_artifacts(
    job: Job, lease_epoch: int, artifacts: tuple[Artifact, ...], now: datetime
) -> Job:
    """These are stored, others may follow. Listing the same again changes nothing."""
    listed = _listed(job, artifacts)
    if listed == job.artifacts and job.lease_epoch == lease_epoch:
        return job
    _must_save(job, lease_epoch)
    return revise(job, now, artifacts=listed)


def complete(
    job: Job,
    lease_epoch: int,
    artifacts: tuple[Artifact, ...],
    output: bytes | None,
    now: datetime,
) -> Job:
    """Every artifact is stored. Completing again with the same fence changes nothing."""
    if job.state is State.COMPLETED and job.lease_epoch == lease_epoch:
        return job
    _must_save(job, lease_epoch)
    listed = _listed(job, artifacts)
    return end(job, State.COMPLETED, now, artifacts=listed, output=output, failure=None)


def fail_saving(job: Job, lease_epoch: int, failure: Failure, now: datetime) -> Job:
    """The call succeeded and was paid for, but not all of its result can be stored."""
    if job.state is State.FAILED and job.lease_epoch == lease_epoch:
        return job
    _must_save(job, lease_epoch)
    return end(job, State.FAILED, now, failure=failure)


def _listed(job: Job, stored: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    """By index; what is listed already wins over what was stored again."""
    by_index = {a.index: a for a in (*stored, *job.artifacts)}
    return tuple(by_index[index] for index in sorted(by_index))


def _must_save(job: Job, lease_epoch: int) -> None:
    if job.final or not job.holds(lease_epoch):
        raise LeaseLost(job.job_id)
    if job.current is None or job.current.state is not AttemptState.SUCCEEDED:
        raise TransitionRefused(job.job_id, "no call of it has succeeded.")
