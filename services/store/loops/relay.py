"""The relay: publishes what is due, and publishes it again until somebody claims it.

It holds no transaction over broker I/O: it leases rows, publishes, and updates them. A confirm does
not delete a dispatch but moves it on; only a claim, a cancel or the end of the job deletes it. So a
lost message is a delay, a doubled one is fenced by its dispatch number, and a broker that was wiped
needs nothing of its own.

Comes from: admitter.py, and every retry. Goes on: the generator's worker/run_job.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from jobqueue.publisher import Publisher, PublishFailed
from jobqueue.topology import LADDER
from mediagen.generator.v1.messages_pb2 import WorkMessage
from servicekit import failpoints
from servicekit.lifecycle import Stop
from store.adapters import tables as t
from store.adapters.database import CLOCK, Database
from store.adapters.wakeups import Wakeups
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 0.25
REST = 0.01
BATCH = 100
IN_HAND = timedelta(seconds=15)  #: longer than a publish takes at the most
AFTER_FAILURE = timedelta(seconds=2)
LEVELS = {level.name: level for level in LADDER}


class Relay:
    """Publishes dispatches and dead letters. Any number of replicas may run."""

    def __init__(self, database: Database, publisher: Publisher, wakeups: Wakeups) -> None:
        self._database = database
        self._publisher = publisher
        self._wakeups = wakeups

    async def run(self, stop: Stop) -> None:
        """Relays until *stop*."""
        await repeat("relay", self.turn, stop, wakeup=self._wakeups.relay, poll=POLL, rest=REST)

    async def turn(self) -> bool:
        """Publishes one batch of each kind. True if there may be more at once."""
        dispatched = await self._dispatches()
        buried = await self._dead_letters()
        return dispatched == BATCH or buried == BATCH

    async def _dispatches(self) -> int:
        rows = await self._lease()
        if not rows:
            return 0
        outcomes = await asyncio.gather(*(self._publish(row) for row in rows))
        sent = [(row.job_id, row.dispatch) for row, ok in zip(rows, outcomes, strict=True) if ok]
        failed = [
            (row.job_id, row.dispatch) for row, ok in zip(rows, outcomes, strict=True) if not ok
        ]
        async with self._database.transaction("move_on_dispatches") as connection:
            if sent:
                await connection.execute(_MOVED_ON, {"sent": sent})
            if failed:
                await connection.execute(_PUT_BACK, {"failed": failed})
        return len(sent)

    async def _lease(self) -> list[Any]:
        return await self._leased("lease_dispatches", _LEASE)

    async def _leased(self, step: str, lease: sa.Update) -> list[Any]:
        """What *lease* takes in hand; *step* names that, where there is anything to take."""
        # One statement commits itself, unless it may have to be stopped before that.
        begin = self._database.transaction if failpoints.armed() else self._database.single
        async with begin() as connection:
            rows = list(await connection.execute(lease))
            if rows:
                failpoints.before(step)
        if rows:
            failpoints.after(step)
        return rows

    async def _publish(self, row: Any) -> bool:
        body = WorkMessage(job_id=str(row.job_id), dispatch=row.dispatch).SerializeToString()
        message_id = f"{row.job_id}/{row.dispatch}"
        if row.level is None:
            return await _confirmed(
                self._publisher.publish_work(row.work_class, body, message_id), row.job_id
            )
        level = LEVELS[row.level]
        return await _confirmed(
            self._publisher.publish_retry(level, row.work_class, body, message_id), row.job_id
        )

    async def _dead_letters(self) -> int:
        rows = await self._leased("lease_letters", _LEASE_LETTERS)
        sent = await asyncio.gather(
            *(
                _confirmed(self._publisher.publish_dead(row.body, str(row.job_id)), row.job_id)
                for row in rows
            )
        )
        buried = [row.job_id for row, ok in zip(rows, sent, strict=True) if ok]
        if buried:
            async with self._database.transaction("move_on_letters") as connection:
                await connection.execute(
                    sa.update(t.dead_letters)
                    .where(t.dead_letters.c.job_id.in_(buried))
                    .values(publish_time=CLOCK)
                )
        return len(buried)


async def _confirmed(publish: Awaitable[None], job_id: UUID) -> bool:
    try:
        await publish
    except PublishFailed as error:
        log.warning("dispatch.not_published", job_id=str(job_id), reason=error.reason)
        return False
    return True


def _lease() -> sa.Update:
    d = t.dispatches.c
    due = (
        sa.select(d.job_id)
        .where(
            d.available_at <= CLOCK,
            sa.or_(d.relay_until.is_(None), d.relay_until < CLOCK),
        )
        .order_by(d.available_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(t.dispatches)
        .where(d.job_id.in_(due))
        .values(relay_until=CLOCK + IN_HAND)
        .returning(d.job_id, d.dispatch, d.work_class, d.level)
    )


def _lease_letters() -> sa.Update:
    letters = t.dead_letters.c
    due = (
        sa.select(letters.job_id)
        .where(letters.publish_time.is_(None), letters.available_at <= CLOCK)
        .order_by(letters.available_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(t.dead_letters)
        .where(letters.job_id.in_(due))
        .values(available_at=CLOCK + IN_HAND)
        .returning(letters.job_id, letters.body)
    )


def _moved_on() -> sa.Update:
    """Published: looked at again after the delay and 60 s · 2ⁿ, at most 10 min, if unclaimed."""
    d = t.dispatches.c
    delay = sa.case(
        {level.name: timedelta(seconds=level.seconds) for level in LADDER},
        value=d.level,
        else_=timedelta(),
    )
    again = sa.func.least(
        timedelta(seconds=60) * sa.func.power(2, sa.func.least(d.published, 10)),
        timedelta(minutes=10),
    )
    return (
        sa.update(t.dispatches)
        .where(sa.tuple_(d.job_id, d.dispatch).in_(sa.bindparam("sent", expanding=True)))
        .values(
            available_at=CLOCK + delay + again,
            level=None,  # the next time it is due already
            published=d.published + 1,
            relay_until=None,
        )
    )


def _put_back() -> sa.Update:
    d = t.dispatches.c
    return (
        sa.update(t.dispatches)
        .where(sa.tuple_(d.job_id, d.dispatch).in_(sa.bindparam("failed", expanding=True)))
        .values(available_at=CLOCK + AFTER_FAILURE, relay_until=None)
    )


# Built once: to build a statement takes longer than to run it.
_LEASE = _lease()
_LEASE_LETTERS = _lease_letters()
_MOVED_ON = _moved_on()
_PUT_BACK = _put_back()
