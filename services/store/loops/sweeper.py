"""The sweeper: what only time brings about: leases that ran out, deadlines, missing last words.

A job that can not be swept is logged and passed over, so that it never keeps the others waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from servicekit.lifecycle import Stop
from store.adapters import tables as t
from store.adapters.database import CLOCK, Database, Unavailable
from store.adapters.jobs import Jobs
from store.domain.ending import OUTPUT_LIFETIME, give_up_waiting, note_deadline
from store.domain.job import Job
from store.domain.leasing import expire
from store.domain.reconciling import WINDOW, expire_doubt
from store.domain.states import FINAL
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 1.0
BATCH = 200
WORKER_LIFETIME = timedelta(hours=1)


class Sweeper:
    """Any number of replicas may sweep: each change locks its job and looks again."""

    def __init__(self, database: Database, jobs: Jobs, settle: timedelta) -> None:
        self._database = database
        self._jobs = jobs
        self._settle = settle

    async def run(self, stop: Stop) -> None:
        """Sweeps until *stop*."""
        await repeat("sweeper", self.turn, stop, poll=POLL)

    async def turn(self) -> bool:
        """One look at everything that time may have moved on. True if there may be more."""
        jobs = t.jobs.c
        unfinished = jobs.state.not_in([str(state) for state in FINAL])
        saving = sa.exists().where(
            t.attempts.c.tenant == jobs.tenant,
            t.attempts.c.job_id == jobs.job_id,
            t.attempts.c.state == "SUCCEEDED",
            t.attempts.c.end_time > CLOCK - OUTPUT_LIFETIME,
        )
        full = await self._sweep(
            sa.and_(jobs.mover == "LEASE", jobs.lease_until < CLOCK), expire, "lease.expired"
        )
        full |= await self._sweep(
            sa.and_(unfinished, jobs.deadline < CLOCK, sa.not_(jobs.deadline_noted)),
            note_deadline,
            "deadline.passed",
        )
        await self._sweep(
            sa.and_(
                unfinished,
                sa.func.least(jobs.deadline, jobs.cancel_request_time) < CLOCK - self._settle,
                sa.not_(saving),
            ),
            lambda job, now: give_up_waiting(job, now, self._settle),
            "job.given_up",
        )
        doubt = sa.exists().where(
            t.attempts.c.job_id == jobs.job_id,
            t.attempts.c.state == "UNKNOWN",
            t.attempts.c.create_time < CLOCK - WINDOW,
        )
        await self._sweep(sa.and_(jobs.mover == "RECONCILER", doubt), expire_doubt, "doubt.expired")
        await self._forget()
        return full

    async def _sweep(
        self,
        condition: sa.ColumnElement[bool],
        verb: Callable[[Job, datetime], Job],
        event: str,
    ) -> bool:
        query = sa.select(t.jobs.c.job_id).where(condition).order_by(t.jobs.c.job_id).limit(BATCH)
        async with self._database.single() as connection:
            found = list((await connection.execute(query)).scalars())
        for job_id in found:
            await self._apply(job_id, verb, event)
        return len(found) == BATCH

    async def _apply(self, job_id: UUID, verb: Callable[[Job, datetime], Job], event: str) -> None:
        try:
            async with self._jobs.change(job_id) as change:
                after = verb(change.job, change.now)
                if after is not change.job:
                    change.save(after)
                    log.info(event, job_id=str(job_id), state=str(after.state))
        except Unavailable:
            raise
        except Exception:
            log.exception("sweep.failed", job_id=str(job_id))

    async def _forget(self) -> None:
        """Workers that are long gone, and doubts that no new call can be taken for any more."""
        old = sa.delete(t.workers).where(t.workers.c.seen_time < CLOCK - WORKER_LIFETIME)
        attempts = t.attempts.c
        cleared = (
            sa.update(t.attempts)
            .where(
                attempts.state == "UNRESOLVED",
                attempts.in_doubt,
                attempts.create_time < CLOCK - OUTPUT_LIFETIME - self._settle,
            )
            .values(in_doubt=False)
        )
        async with self._database.single() as connection:
            await connection.execute(old)
            await connection.execute(cleared)
