"""Admission: gives waiting jobs a dispatch, as many as the workers can take soon, in rank order.

Comes from: adapters/submissions.py. Goes on: relay.py, which publishes the dispatch.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.lifecycle import Stop
from store.adapters import tables as t
from store.adapters.database import CLOCK, Database
from store.adapters.wakeups import Wakeups
from store.adapters.workers import HEARD_OF
from store.domain.admission import room
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 0.25
REST = 0.05
THROUGHPUT_WINDOW = timedelta(seconds=10)
MOST_AT_ONCE = 500


class Admitter:
    """One replica at a time admits: the row `singletons.admission` is locked meanwhile."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups
        self._finished_per_second = 0.0
        self._measured = 0.0

    async def run(self, stop: Stop) -> None:
        """Admits until *stop*."""
        await repeat(
            "admitter", self.turn, stop, wakeup=self._wakeups.admitter, poll=POLL, rest=REST
        )

    async def turn(self) -> bool:
        """Admits what there is room for. True if there may be more at once."""
        await self._measure()
        async with self._database.single() as connection:
            if await _room(connection, self._finished_per_second) <= 0:
                return False  # as most of the time while workers are busy: found without the lock
        async with self._database.transaction("admit_jobs") as connection:
            # A row lock inside a transaction: it ends with the connection of a frozen store.
            await connection.execute(_ALONE)
            open_places = await _room(connection, self._finished_per_second)
            admitted = await _admit(connection, min(open_places, MOST_AT_ONCE))
        if admitted:
            log.debug("jobs.admitted", count=admitted)
            self._wakeups.relay.set()
        return admitted == MOST_AT_ONCE

    async def _measure(self) -> None:
        """How many claims the workers make a second, looked up once a second."""
        if time.monotonic() - self._measured < 1.0:
            return
        async with self._database.single() as connection:
            recent = int((await connection.execute(_RECENT)).scalar_one())
        self._finished_per_second = recent / THROUGHPUT_WINDOW.total_seconds()
        self._measured = time.monotonic()


def _room_query() -> sa.Select[Any]:
    jobs, workers, dispatches = t.jobs.c, t.workers.c, t.dispatches.c
    shut = sa.exists().where(t.accounts.c.shut_until > CLOCK)
    waiting = sa.exists().where(jobs.mover == "ADMISSION")
    slots = (
        sa.select(sa.func.coalesce(sa.func.sum(workers.slots), 0))
        .where(workers.seen_time > CLOCK - HEARD_OF)
        .scalar_subquery()
    )
    running = sa.select(sa.func.count()).where(jobs.mover == "LEASE").scalar_subquery()
    # What is set apart runs one at a time: it must not keep the others from being admitted.
    due = (
        sa.select(sa.func.count())
        .where(dispatches.due <= CLOCK, dispatches.work_class == "default")
        .scalar_subquery()
    )
    was_shut = sa.exists().where(t.accounts.c.shut_count > 0)
    return sa.select(shut, was_shut, waiting, slots, running, due)


def _first_in_line() -> sa.Select[Any]:
    return (
        sa.select(t.jobs.c.job_id)
        .where(t.jobs.c.mover == "ADMISSION")
        .order_by(t.jobs.c.rank_time)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )


def _move() -> sa.Update:
    jobs = t.jobs.c
    return (
        sa.update(t.jobs)
        .where(jobs.job_id.in_(sa.bindparam("picked", expanding=True)))
        .values(mover="DISPATCH", dispatch=jobs.dispatch + 1)
        .returning(jobs.job_id, jobs.tenant, jobs.dispatch, jobs.work_class, CLOCK.label("now"))
    )


def _dispatch() -> sa.Executable:
    statement = insert(t.dispatches)
    names = ("job_id", "tenant", "dispatch", "work_class", "due", "available_at")
    return statement.on_conflict_do_update(
        index_elements=["job_id"], set_={name: statement.excluded[name] for name in names}
    )


# Built once: to build a statement takes longer than to run it.
_ALONE = sa.select(t.singletons).where(t.singletons.c.name == "admission").with_for_update()
_RECENT = sa.select(sa.func.count()).where(t.attempts.c.create_time > CLOCK - THROUGHPUT_WINDOW)
_ROOM = _room_query()
_FIRST_IN_LINE = _first_in_line()
_MOVE = _move()
_DISPATCH = _dispatch()


async def _room(connection: AsyncConnection, finished_per_second: float) -> int:
    row = (await connection.execute(_ROOM)).one()
    is_shut, was_shut, is_waiting, slots, running, due = row
    if is_shut or not is_waiting:
        return 0
    if was_shut:
        return 0 if due else 1  # only one call is let through: see gate.py
    return room(
        slots=int(slots),
        running=int(running),
        finished_per_second=finished_per_second,
        dispatched=int(due),
    )


async def _admit(connection: AsyncConnection, most: int) -> int:
    if most <= 0:
        return 0
    picked = list((await connection.execute(_FIRST_IN_LINE, {"most": most})).scalars())
    if not picked:
        return 0
    rows = [
        {
            "job_id": row.job_id,
            "tenant": row.tenant,
            "dispatch": row.dispatch,
            "work_class": row.work_class,
            "due": row.now,
            "available_at": row.now,
        }
        for row in await connection.execute(_MOVE, {"picked": picked})
    ]
    await connection.execute(_DISPATCH, rows)
    return len(rows)
