"""One change of one job: lock, load, and write what a verb made of it, in one transaction.

    async with jobs.change("claim_job", job_id) as change:
        change.save(verb(change.job, change.now))

The transaction begins with its own SELECT … FOR UPDATE of the job's row, so that no verb ever works
on a job that another transaction is changing. Locks are taken in the order job, attempt, dispatch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.v1 import job_pb2
from servicekit import failpoints, secret_inputs
from store.adapters import tables as t
from store.adapters.database import CLOCK, Database
from store.adapters.rows import artifact_of, attempt_of, job_of
from store.adapters.wakeups import Wakeups
from store.adapters.writes import write
from store.domain.errors import JobNotFound, PermitUnknown
from store.domain.job import Artifact, Job, Waiting
from store.domain.states import AttemptState


@dataclass(slots=True)
class Change:
    """A locked job. `save` says what it has become; leaving the block writes and commits it.

    A block that writes rows of its own sets `wrote`."""

    connection: AsyncConnection
    job: Job
    now: datetime
    request: bytes
    secrets: bytes | None = field(repr=False)  #: None: it took none, or they are wiped
    took_secrets: bool
    saved: Job | None = field(default=None)
    wrote: bool = False

    def save(self, job: Job) -> None:
        """The job is to be written as *job*."""
        self.saved = job

    def revealed(self) -> job_pb2.JobRequest:
        """What was asked for, with its secrets: for the worker that sends it, and nobody else."""
        request = job_pb2.JobRequest.FromString(self.request)
        if self.secrets is not None:
            secret_inputs.reveal(request.input, Struct.FromString(self.secrets))
        return request


@dataclass(frozen=True, slots=True)
class HeardOf:
    """A recorded prediction: whose it is, how its call stands, and which worker has the job."""

    job_id: UUID
    state: AttemptState
    worker: str | None


class Jobs:
    """Jobs in Postgres, one change at a time."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self.database = database
        self._wakeups = wakeups

    @asynccontextmanager
    async def change(
        self, step: str, job_id: UUID, tenant: str | None = None
    ) -> AsyncIterator[Change]:
        """The job, locked until the block ends. JobNotFound if the tenant has none such.

        *step* names the change: one of store/failpoints.py."""
        async with self.database.transaction() as connection:
            change = await lock(connection, job_id, tenant)
            yield change
            if change.saved is not None and change.saved is not change.job:
                await write(connection, change.job, change.saved, change.now)
                change.wrote = True
            if change.wrote:
                failpoints.before(step)
        if change.wrote:
            failpoints.after(step)
        if change.saved is not None:
            self._wake(change.job, change.saved)

    async def job_of_token(self, submit_token: str) -> UUID:
        """The job of the attempt that was given this permit."""
        async with self.database.single() as connection:
            found = await connection.execute(_OF_TOKEN, {"token": submit_token})
            job_id: UUID | None = found.scalar_one_or_none()
        if job_id is None:
            raise PermitUnknown("this submit_token")
        return job_id

    async def heard_of(self, submit_token: str, prediction_id: str) -> HeardOf | None:
        """What a webhook about the call needs to know; None: its prediction is not recorded."""
        key = {"token": submit_token, "of_prediction": prediction_id}
        rows = await self.database.rows(_HEARD_OF, key)
        if not rows:
            return None
        return HeardOf(rows[0].job_id, AttemptState(rows[0].state), rows[0].lease_owner)

    def _wake(self, old: Job, new: Job) -> None:
        if new.revision != old.revision:
            self._wakeups.changed(new.tenant)
        if new.dispatch != old.dispatch or new.dead_letter:
            self._wakeups.relay.set()
        if isinstance(new.mover, Waiting) or new.final:
            self._wakeups.admitter.set()


def _lock_query() -> sa.Select[Any]:
    return sa.select(t.jobs).where(t.jobs.c.job_id == sa.bindparam("of_job")).with_for_update()


def _attempts_query() -> sa.Select[Any]:
    """The attempts, and in any case one row, for the clock."""
    clock, attempts = sa.select(CLOCK.label("now")).subquery(), t.attempts.c
    same = (attempts.tenant == sa.bindparam("of_tenant")) & (
        attempts.job_id == sa.bindparam("of_job")
    )
    return (
        sa.select(clock.c.now, t.attempts)
        .select_from(clock.outerjoin(t.attempts, same))
        .order_by(attempts.number)
    )


def _artifacts_query() -> sa.Select[Any]:
    artifacts = t.artifacts.c
    of_job = artifacts.job_id == sa.bindparam("of_job")
    return (
        sa.select(t.artifacts)
        .where(artifacts.tenant == sa.bindparam("of_tenant"), of_job)
        .order_by(artifacts.index)
    )


# Built once: to build a statement takes longer than to run it.
_LOCK = _lock_query()
_LOCK_OF_TENANT = _LOCK.where(t.jobs.c.tenant == sa.bindparam("of_tenant"))
_ATTEMPTS = _attempts_query()
_DUE = sa.select(t.dispatches.c.due).where(t.dispatches.c.job_id == sa.bindparam("of_job"))
_ARTIFACTS = _artifacts_query()
_HEARD_OF = (
    sa.select(t.attempts.c.job_id, t.attempts.c.state, t.jobs.c.lease_owner)
    .join(t.jobs, t.jobs.c.job_id == t.attempts.c.job_id)
    .where(
        t.attempts.c.submit_token == sa.bindparam("token"),
        t.attempts.c.prediction_id == sa.bindparam("of_prediction"),
    )
)
_OF_TOKEN = sa.select(t.attempts.c.job_id).where(t.attempts.c.submit_token == sa.bindparam("token"))


async def lock(connection: AsyncConnection, job_id: UUID, tenant: str | None) -> Change:
    """The job as it is once this transaction alone may change it."""
    key: dict[str, Any] = {"of_job": job_id}
    if tenant is None:
        result = await connection.execute(_LOCK, key)
    else:
        result = await connection.execute(_LOCK_OF_TENANT, key | {"of_tenant": tenant})
    row = result.mappings().one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    key["of_tenant"] = row["tenant"]
    # Read after the lock was granted.
    rows = list((await connection.execute(_ATTEMPTS, key)).mappings())
    attempts = tuple(attempt_of(each) for each in rows if each["number"] is not None)
    due: datetime | None = None
    if row["mover"] == "DISPATCH":
        found_due = (await connection.execute(_DUE, {"of_job": job_id})).scalar_one_or_none()
        due = found_due or rows[0]["now"]  # a row that somebody deleted by hand is mended
    stored: tuple[Artifact, ...] = ()
    if any(attempt.output is not None for attempt in attempts):  # else nothing was ever stored
        kept = await connection.execute(_ARTIFACTS, key)
        stored = tuple(artifact_of(each) for each in kept.mappings())
    job = job_of(row, attempts, stored, due)
    return Change(
        connection, job, rows[0]["now"], row["request"], row["secrets"],
        took_secrets=row["secrets_digest"] is not None,
    )  # fmt: skip
