"""The relay of webhook deliveries: publishes what is due until somebody claims it.

As relay.py does it for jobs, and beside it: however many deliveries wait for slow endpoints, no job
waits for them. A confirm moves a delivery's next time on; a claim moves it behind the claim's end.

Comes from: adapters/deliveries.py. Goes on: the notifier.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from jobqueue.publisher import Publisher, PublishFailed
from jobqueue.topology import WEBHOOK_LADDER
from mediagen.notifier.v1.messages_pb2 import DeliveryMessage
from servicekit.lifecycle import Stop
from store.adapters import webhook_tables as w
from store.adapters.database import BEGUN, CLOCK, Database
from store.adapters.wakeups import Wakeups
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 0.5
REST = 0.02
#: Fewer than a publisher has places for: the rest are the jobs'.
BATCH = 50
IN_HAND = timedelta(seconds=15)  #: longer than a publish takes at the most
AFTER_FAILURE = timedelta(seconds=2)
LEVELS = {level.name: level for level in WEBHOOK_LADDER}

_D: Final = w.webhook_deliveries.c


class WebhookRelay:
    """Publishes deliveries. Any number of replicas may run."""

    def __init__(self, database: Database, publisher: Publisher, wakeups: Wakeups) -> None:
        self._database = database
        self._publisher = publisher
        self._wakeups = wakeups

    async def run(self, stop: Stop) -> None:
        """Relays until *stop*."""
        await repeat(
            "webhook relay", self.turn, stop, wakeup=self._wakeups.webhooks, poll=POLL, rest=REST
        )

    async def turn(self) -> bool:
        """Publishes one batch. True if there may be more at once."""
        if not await self._database.rows(_ANY, {}):
            return False
        rows = await self._database.rows(_LEASE, {}, "lease_deliveries")
        if not rows:
            return False
        outcomes = await asyncio.gather(*(self._publish(row) for row in rows))
        sent: list[tuple[UUID, int]] = []
        failed: list[tuple[UUID, int]] = []
        for row, ok in zip(rows, outcomes, strict=True):
            (sent if ok else failed).append((row.delivery_id, row.dispatch))
        async with self._database.transaction("move_on_deliveries") as connection:
            if sent:
                await connection.execute(_MOVED_ON, {"them": sent})
            if failed:
                await connection.execute(_PUT_BACK, {"them": failed})
        return len(sent) == BATCH

    async def _publish(self, row: sa.Row[Any]) -> bool:
        body = DeliveryMessage(delivery_id=str(row.delivery_id), dispatch=row.dispatch)
        words, message_id = body.SerializeToString(), f"{row.delivery_id}/{row.dispatch}"
        try:
            if row.level is None:
                await self._publisher.publish_webhook(words, message_id)
            else:
                level = LEVELS[row.level]
                await self._publisher.publish_webhook_retry(level, words, message_id)
        except PublishFailed as error:
            log.warning(
                "delivery.not_published", delivery_id=str(row.delivery_id), reason=error.reason
            )
            return False
        return True


def _due() -> sa.Select[Any]:
    return (
        sa.select(_D.delivery_id)
        .where(_D.available_at <= BEGUN, sa.or_(_D.relay_until.is_(None), _D.relay_until < BEGUN))
        .order_by(_D.available_at)
    )


def _lease() -> sa.Update:
    return (
        sa.update(w.webhook_deliveries)
        .where(_D.delivery_id.in_(_due().limit(BATCH).with_for_update(skip_locked=True)))
        .values(relay_until=CLOCK + IN_HAND)
        .returning(_D.delivery_id, _D.dispatch, _D.level)
    )


def _unclaimed() -> sa.Select[Any]:
    """Those that nobody has claimed, held or ended meanwhile, locked in one order."""
    return (
        sa.select(_D.delivery_id)
        .where(
            sa.tuple_(_D.delivery_id, _D.dispatch).in_(sa.bindparam("them", expanding=True)),
            _D.relay_until.is_not(None),
            _D.available_at.is_not(None),
        )
        .order_by(_D.delivery_id)
        .with_for_update()
    )


def _moved_on() -> sa.Update:
    """Published: looked at again after the delay and 60 s · 2ⁿ, at most 10 min, if unclaimed."""
    delay = sa.case(
        {level.name: timedelta(seconds=level.seconds) for level in WEBHOOK_LADDER},
        value=_D.level,
        else_=timedelta(),
    )
    again = sa.func.least(
        timedelta(seconds=60) * sa.func.power(2, sa.func.least(_D.published, 10)),
        timedelta(minutes=10),
    )
    return (
        sa.update(w.webhook_deliveries)
        .where(_D.delivery_id.in_(_unclaimed()))
        .values(
            available_at=CLOCK + delay + again,
            level=None,  # the next time it is due already
            published=_D.published + 1,
            relay_until=None,
        )
    )


def _put_back() -> sa.Update:
    return (
        sa.update(w.webhook_deliveries)
        .where(_D.delivery_id.in_(_unclaimed()))
        .values(available_at=CLOCK + AFTER_FAILURE, relay_until=None)
    )


# Built once: to build a statement takes longer than to run it.
_ANY = _due().limit(1)
_LEASE = _lease()
_MOVED_ON = _moved_on()
_PUT_BACK = _put_back()
