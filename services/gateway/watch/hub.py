"""Who follows which job, and how do changes come to them?

Hints from the broker and reads of the store's feed move one position per tenant; the feed is read
every second while there is a watcher, so that a broker that is down costs a second and no revision.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import grpc
import structlog
from google.protobuf.message import DecodeError

from gateway.domain.errors import Draining, GatewayError, TooManyWatchers
from gateway.watch.feed import Feed
from gateway.watch.mailbox import Mailbox
from gateway.watch.watching import RevisionSource, Watch
from mediagen.store.v1.feed_pb2 import FeedBatch, FeedPosition
from mediagen.store.v1.job_store_service_pb2 import ReadFeedResponse
from servicekit.lifecycle import Stop

log = structlog.get_logger()

# The exchange carries more than the feed: hints for workers have other keys and other bodies.
HINT_KEYS = ("tenant.#",)


class FeedSource(RevisionSource, Protocol):
    """What the hub asks of the store."""

    async def read_feed(self, tenant: str, after: FeedPosition | None) -> ReadFeedResponse:
        """The events behind *after* (without it none), and the head."""
        ...


class Hub:
    """Fans changes out to watches. One per gateway."""

    def __init__(
        self,
        store: FeedSource,
        *,
        most_watchers: int = 10_000,
        buffered: int = 64,
        read_every: float = 1.0,
        heartbeat: float = 15.0,
    ) -> None:
        self._store = store
        self._most_watchers = most_watchers
        self._buffered = buffered
        self._read_every = read_every
        self._heartbeat = heartbeat
        self._feeds: dict[str, Feed] = {}
        self._watchers = 0
        self._draining = False
        self._readable = True
        self._wake = asyncio.Event()

    @property
    def draining(self) -> bool:
        return self._draining

    @property
    def watchers(self) -> int:
        return self._watchers

    @asynccontextmanager
    async def watch(self, tenant: str, job_id: str, after_revision: int) -> AsyncIterator[Watch]:
        """A started watch, which hears changes until the block ends.

        The order is what makes it complete: join, then know the feed's position, then read the
        job. A change before the position is in what is read, a later one comes to the mailbox.
        """
        if self._draining:
            raise Draining
        if self._watchers >= self._most_watchers:
            raise TooManyWatchers(self._most_watchers)
        mailbox = Mailbox(self._buffered)
        feed = self._feeds.setdefault(tenant, Feed(tenant))
        feed.join(job_id, mailbox)
        self._watchers += 1
        try:
            if feed.position is None:
                feed.begin((await self._store.read_feed(tenant, None)).head)
            watch = Watch(
                self._store,
                mailbox,
                tenant,
                job_id,
                after_revision,
                behind=self._buffered,
                heartbeat=self._heartbeat,
            )
            await watch.start()
            yield watch
        finally:
            self._watchers -= 1
            feed.leave(job_id, mailbox)
            if not feed.followed:
                del self._feeds[tenant]

    async def hear(self, body: bytes) -> None:
        """Takes a FeedBatch from the broker: a hint, which may be lost, late, doubled or wrong."""
        try:
            batch = FeedBatch.FromString(body)
        except DecodeError:
            log.warning("hint.unreadable", bytes=len(body))
            self._wake.set()
            return
        for event in batch.events:
            feed = self._feeds.get(event.tenant)
            if feed is not None and not feed.hear(event):
                self._wake.set()

    async def resync(self) -> None:
        """The broker was away: what it dropped is read from the store."""
        self._wake.set()

    async def run(self, stop: Stop) -> None:
        """Reads the feeds until *stop*: when a hint shows a hole, and every second. Then drains."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self.drain())
        try:
            while not self._draining:
                await self._until_due()
                for feed in list(self._feeds.values()):
                    await self._read(feed)
        finally:
            stopping.cancel()

    def drain(self) -> None:
        """Ends every watch with Draining, and refuses new ones: the callers go on elsewhere."""
        self._draining = True
        self._wake.set()
        for feed in self._feeds.values():
            for mailbox in feed.mailboxes():
                mailbox.close()

    async def _until_due(self) -> None:
        try:
            async with asyncio.timeout(self._read_every):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _read(self, feed: Feed) -> None:
        try:
            while (asked := feed.position) is not None and feed.followed:
                answer = await self._store.read_feed(feed.tenant, asked)
                if not feed.take(asked, answer):
                    break
        except (GatewayError, grpc.aio.AioRpcError) as error:
            # The watches stay open: nothing is lost, the same position is read again.
            if self._readable:
                log.warning("feed.unreadable", tenant=feed.tenant, error=str(error))
            self._readable = False
        else:
            self._readable = True
