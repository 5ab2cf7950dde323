"""The numberer: gives committed events their place in the feed, and tells the gateways."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from jobqueue.publisher import Publisher, PublishFailed
from mediagen.store.v1.feed_pb2 import FeedBatch, FeedEvent
from servicekit.lifecycle import Stop
from store.adapters.database import Unavailable
from store.adapters.feed import Feed
from store.adapters.feed_statements import BATCH, BATCH_BYTES
from store.adapters.wakeups import Wakeups
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 0.5
MESSAGE_BYTES = 1 << 20
REST = 0.01


class Numberer:
    """Numbers what is committed. Replicas take turns at each tenant's head."""

    def __init__(
        self,
        feed: Feed,
        publisher: Publisher,
        wakeups: Wakeups,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self._publisher = publisher
        self._wakeups = wakeups
        self._clock = clock
        self._looked = -POLL

    async def run(self, stop: Stop) -> None:
        """Numbers until *stop*."""
        await repeat(
            "numberer", self.turn, stop, wakeup=self._wakeups.numberer, poll=POLL, rest=REST
        )

    async def turn(self) -> bool:
        """Numbers a batch of each tenant. True if there may be more at once.

        A tenant whose rows can not be had now, which another holds, stops none of the others.
        """
        full, away = False, None
        for tenant in await self._due():
            try:
                events = await self._feed.number(tenant)
            except Unavailable as error:
                away = error
                continue
            if events:
                await self._tell(tenant, events)
            full = full or _cut_short(events)
        if away is not None:
            raise away
        return full

    async def _due(self) -> set[str]:
        """The tenants that this process has changed jobs of; now and then those of any other too:
        what a replica committed before it died is numbered by whoever looks."""
        tenants, now = self._wakeups.take_changed(), self._clock()
        if tenants and now - self._looked < POLL:
            return tenants
        self._looked = now
        return tenants | set(await self._feed.unnumbered_tenants())

    async def _tell(self, tenant: str, events: list[FeedEvent]) -> None:
        """A hint: a gateway that misses it reads the feed within a second."""
        for batch in _cut(events):
            body = FeedBatch(events=batch).SerializeToString()
            try:
                await self._publisher.publish_event(f"tenant.{tenant}", body)
            except PublishFailed as error:
                log.warning("feed.not_published", reason=error.reason)
                return


def _cut_short(events: list[FeedEvent]) -> bool:
    """There may be more than were numbered at once."""
    return len(events) == BATCH or sum(each.ByteSize() for each in events) >= BATCH_BYTES


def _cut(events: list[FeedEvent]) -> list[list[FeedEvent]]:
    """The events in messages that any broker takes."""
    batches: list[list[FeedEvent]] = [[]]
    size = 0
    for event in events:
        size += event.ByteSize()
        if batches[-1] and size > MESSAGE_BYTES:
            batches.append([])
            size = event.ByteSize()
        batches[-1].append(event)
    return batches
