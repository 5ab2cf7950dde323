"""The sweeper: what only time brings about: leases that ran out, deadlines, missing last words.

A job that can not be swept is logged and passed over, so that it never keeps the others waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.lifecycle import Stop
from store.adapters import tables as t
from store.adapters.database import CLOCK, Database, Unavailable
from store.adapters.jobs import Jobs
from store.adapters.workers import FORGOTTEN
from store.domain.ending import OUTPUT_LIFETIME, give_up_waiting, note_deadline
from store.domain.job import Job
from store.domain.leasing import expire
from store.domain.reconciling import WINDOW, expire_doubt
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 1.0
PASSED_OVER = 60.0
#: No store has swept for so long: none took heartbeats either, so leases run out unearned.
OUTAGE = timedelta(seconds=5)
BATCH = 200


class Sweeper:
    """Any number of replicas may sweep: each change locks its job and looks again."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        settle: timedelta,
        lease: timedelta,
        outage: timedelta = OUTAGE,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._settle = settle
        self._lease = lease
        self._outage = outage
        self._passed_over: set[UUID] = set()
        self._looked_again = time.monotonic()

    async def run(self, stop: Stop) -> None:
        """Sweeps until *stop*."""
        await repeat("sweeper", self.turn, stop, poll=POLL)

    async def turn(self) -> bool:
        """One look at everything that time may have moved on. True if there may be more."""
        if time.monotonic() - self._looked_again > PASSED_OVER or len(self._passed_over) > BATCH:
            self._passed_over.clear()
            self._looked_again = time.monotonic()
        excused = await self._look_round()
        jobs = t.jobs.c
        unfinished = jobs.mover.is_not(None)
        saving = sa.exists().where(
            t.attempts.c.tenant == jobs.tenant,
            t.attempts.c.job_id == jobs.job_id,
            t.attempts.c.state == "SUCCEEDED",
            t.attempts.c.end_time > CLOCK - OUTPUT_LIFETIME,
        )
        full = await self._sweep(
            "expire_lease",
            sa.and_(jobs.mover == "LEASE", jobs.lease_until < CLOCK),
            lambda job, now: expire(job, now, excused=excused),
            "lease.expired",
        )
        full |= await self._sweep(
            "note_deadline",
            sa.and_(unfinished, jobs.deadline < CLOCK, sa.not_(jobs.deadline_noted)),
            note_deadline,
            "deadline.passed",
        )
        await self._sweep(
            "give_up_waiting",
            sa.and_(
                unfinished,
                sa.func.least(jobs.deadline, jobs.cancel_request_time) < CLOCK - self._settle,
                sa.not_(saving),
            ),
            lambda job, now: give_up_waiting(job, now, self._settle),
            "job.given_up",
        )
        doubt = sa.exists().where(
            t.attempts.c.tenant == jobs.tenant,
            t.attempts.c.job_id == jobs.job_id,
            t.attempts.c.state == "UNKNOWN",
            t.attempts.c.create_time < CLOCK - WINDOW,
        )
        await self._sweep(
            "expire_doubt",
            sa.and_(jobs.mover == "RECONCILER", doubt),
            expire_doubt,
            "doubt.expired",
        )
        return full

    async def _sweep(
        self,
        step: str,
        condition: sa.ColumnElement[bool],
        verb: Callable[[Job, datetime], Job],
        event: str,
    ) -> bool:
        jobs = t.jobs.c
        query = sa.select(jobs.job_id).where(condition, jobs.job_id.not_in(self._passed_over))
        async with self._database.single() as connection:
            ordered = query.order_by(jobs.job_id).limit(BATCH)
            found = list((await connection.execute(ordered)).scalars())
        changed = [await self._apply(step, job_id, verb, event) for job_id in found]
        return sum(changed) == BATCH

    async def _apply(
        self, step: str, job_id: UUID, verb: Callable[[Job, datetime], Job], event: str
    ) -> bool:
        """True if the job changed. One that can not be swept now is passed over for a minute."""
        try:
            async with self._jobs.change(step, job_id) as change:
                after = verb(change.job, change.now)
                if after is change.job:
                    return False
                change.save(after)
            log.info(event, job_id=str(job_id), state=str(after.state))
        except Unavailable:
            if self._passed_over:  # not this job's row alone: the database
                raise
            self._passed_over.add(job_id)
            return False
        except Exception:
            log.exception("sweep.failed", job_id=str(job_id))
            self._passed_over.add(job_id)
            return False
        return True

    async def _look_round(self) -> bool:
        """Forgets workers that are long gone, and doubts that no new call can be taken for any
        more. True if no store was there a short while ago: who lost its lease is excused."""
        old = sa.delete(t.workers).where(t.workers.c.seen_time < CLOCK - FORGOTTEN)
        attempts = t.attempts.c
        cleared = (
            sa.update(t.attempts)
            .where(
                attempts.state == "UNRESOLVED",
                attempts.prediction_id.is_(None),
                attempts.in_doubt,
                attempts.create_time < CLOCK - OUTPUT_LIFETIME - self._settle,
            )
            .values(in_doubt=False)
        )
        async with self._database.transaction("forget") as connection:
            await connection.execute(old)
            await connection.execute(cleared)
            return await self._excuse(connection)

    async def _excuse(self, connection: AsyncConnection) -> bool:
        rows = t.singletons.c
        marks = sa.select(rows.name, rows.until).where(rows.name.in_(["outage", "sweep"]))
        found = (await connection.execute(marks.order_by(rows.name).with_for_update())).all()
        until = {row.name: row.until for row in found}
        now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
        over = until.get("outage") or now
        if "sweep" in until and now - until["sweep"] > self._outage:
            over = now + self._lease  # by then every worker that lives was heard
            log.warning("store.was_away", seconds=(now - until["sweep"]).total_seconds())
        marked = insert(t.singletons)
        await connection.execute(
            marked.on_conflict_do_update(
                index_elements=["name"], set_={"until": marked.excluded.until}
            ),
            [{"name": "outage", "until": over}, {"name": "sweep", "until": now}],
        )
        return over > now
