"""Who watches what, and how do changes come to them?

Hints from the broker and reads of the store's feed move one position per tenant; the feed is read
every second while there is a watcher, so that a broker that is down costs a second and no revision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import structlog
from google.protobuf.message import DecodeError

from gateway.domain.errors import Draining, GatewayError, TooManyWatchers
from gateway.watch.cursor import Cursor
from gateway.watch.feed import Feed
from gateway.watch.filters import JobFilter
from gateway.watch.flights import Flights
from gateway.watch.history import History
from gateway.watch.jobs_watching import JobsWatch, Reading
from gateway.watch.opening import Opening, W
from gateway.watch.requests import Requests
from gateway.watch.snapshots import Snapshots
from gateway.watch.source import Source
from gateway.watch.watcher import Watcher
from gateway.watch.watching import JobWatch
from mediagen.store.v1.feed_pb2 import FeedBatch
from servicekit.lifecycle import Background, Stop

log = structlog.get_logger()

# The exchange carries more than the feed: hints for workers have other keys and other bodies.
HINT_KEYS = ("tenant.#",)
# In how many sweeps over all watchers the silence before a heartbeat is counted.
SWEEPS = 15
# How many watchers are woken for a heartbeat before others have their turn.
SWEPT_AT_ONCE = 250
FORECASTS_EVERY = 3.0
# Seconds between looks whether what was just committed has its place in the feed.
SETTLE_EVERY = 0.05


class Hub:
    """Fans changes out to watches. One per gateway."""

    def __init__(
        self,
        store: Source,
        *,
        most_watchers: int = 10_000,
        behind: int = 64,
        read_every: float = 1.0,
        heartbeat: float = 15.0,
        forecasts_every: float = FORECASTS_EVERY,
        settle_every: float = SETTLE_EVERY,
        flights: Flights | None = None,
        new_feed: Callable[[str], Feed] = Feed,
    ) -> None:
        self._store = store
        self._most_watchers = most_watchers
        self._behind = behind
        self._read_every = read_every
        self._sweep_every = heartbeat / SWEEPS
        self._forecasts_every = forecasts_every
        self._new_feed = new_feed
        self._flights = flights or Flights()
        self._reading = Reading(
            Snapshots(store, self._flights),
            History(store, self._flights),
            Requests(store, self._flights),
            self._advance,
            settle_every,
        )
        self._feeds: dict[str, Feed] = {}
        self._watchers = 0
        self._draining = False
        self._unreadable: set[str] = set()
        self._wake = asyncio.Event()

    @property
    def watchers(self) -> int:
        return self._watchers

    def watch_job(self, tenant: str, job_id: str, after_revision: int) -> Opening[JobWatch]:
        """A watch of one job, behind a revision of it."""

        def make(feed: Feed) -> JobWatch:
            group = feed.of_job(job_id)
            return JobWatch(feed, group, self._store, self._flights, after_revision, self._behind)

        return Opening(self, tenant, make)

    def watch_jobs(
        self, tenant: str, wanted: JobFilter, cursor: Cursor | None
    ) -> Opening[JobsWatch]:
        """A watch of all jobs of a filter, behind a cursor or from now."""

        def make(feed: Feed) -> JobsWatch:
            return JobsWatch(feed, feed.of_filter(wanted), self._reading, cursor)

        return Opening(self, tenant, make)

    async def join(self, tenant: str, make: Callable[[Feed], W]) -> W:
        """Lets a watch hear changes, and starts it.

        The order is what makes it complete: join, then know the feed's position, then read. A
        change before the position is in what is read, a later one comes by the feed.
        """
        if self._draining:
            raise Draining
        if self._watchers >= self._most_watchers:
            raise TooManyWatchers(self._most_watchers)
        feed = self._feeds.get(tenant)
        if feed is None:
            feed = self._feeds[tenant] = self._new_feed(tenant)
        watch = make(feed)
        watch.group.members.add(watch)
        self._watchers += 1
        try:
            if not feed.begun:
                await self._flights.ask(("head", feed), lambda: self._find_head(feed))
            await watch.start()
        except BaseException:
            self.leave(watch)
            raise
        return watch

    def leave(self, watch: Watcher) -> None:
        """The watch hears nothing any more."""
        self._watchers -= 1
        feed = watch.feed
        feed.leave(watch)
        if not feed.followed and self._feeds.get(feed.tenant) is feed:
            del self._feeds[feed.tenant]

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
        """Reads the feeds and forecasts, and sees to heartbeats, until *stop*. Then drains."""
        async with Background(stop) as loops:
            loops.start("feeds.read", self._follow(stop))
            loops.start("feeds.sweep", self._sweep_on(stop))
            loops.start("feeds.forecast", self._forecast_on(stop))
            await stop.wait()
            self.drain()

    def drain(self) -> None:
        """Ends every watch with Draining, and refuses new ones: the callers go on elsewhere."""
        self._draining = True
        self._wake.set()
        for feed in self._feeds.values():
            for watcher in feed.watchers():
                watcher.close()

    async def sweep(self) -> None:
        """Counts the silence of every watcher, and wakes those that are due a heartbeat."""
        woken = 0
        for feed in list(self._feeds.values()):
            for watcher in list(feed.watchers()):
                watcher.quiet += 1
                if watcher.quiet >= SWEEPS:
                    watcher.beat_due, watcher.quiet = True, 0
                    watcher.ring()
                    woken += 1
                    if woken % SWEPT_AT_ONCE == 0:
                        await asyncio.sleep(self._sweep_every / 50)

    async def forecast(self) -> None:
        """Reads the forecasts of each tenant with watchers, once for all of them."""
        for feed in list(self._feeds.values()):
            if not feed.needs_forecasts():
                continue
            try:
                answer = await self._store.read_forecasts(feed.tenant)
            except (GatewayError, grpc.aio.AioRpcError) as error:
                self._failed("forecasts", feed, error)
            else:
                self._unreadable.discard("forecasts")
                feed.show(answer.forecasts)

    async def _follow(self, stop: Stop) -> None:
        while not stop.is_set():
            try:
                async with asyncio.timeout(self._read_every):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            for feed in list(self._feeds.values()):
                try:
                    await self._advance(feed)
                except (GatewayError, grpc.aio.AioRpcError) as error:
                    # The watches stay open: nothing is lost, the same position is read again.
                    self._failed("feed", feed, error)
                else:
                    self._unreadable.discard("feed")

    async def _sweep_on(self, stop: Stop) -> None:
        while not await stop.wait(self._sweep_every):
            await self.sweep()

    async def _forecast_on(self, stop: Stop) -> None:
        while not await stop.wait(self._forecasts_every):
            await self.forecast()

    async def _advance(self, feed: Feed) -> None:
        """Brings *feed* to the head that the store has from now on."""
        await self._flights.ask(("feed", feed), lambda: self._read_on(feed))

    async def _read_on(self, feed: Feed) -> None:
        while feed.begun and feed.followed:
            asked, asked_at = feed.position, asyncio.get_running_loop().time()
            answer = await self._store.read_feed(feed.tenant, asked)
            if not feed.take(asked, answer, asked_at):
                break

    async def _find_head(self, feed: Feed) -> None:
        asked_at = asyncio.get_running_loop().time()
        feed.begin(await self._store.read_feed(feed.tenant, None), asked_at)

    def _failed(self, what: str, feed: Feed, error: Exception) -> None:
        if what not in self._unreadable:
            log.warning(f"{what}.unreadable", tenant=feed.tenant, error=str(error))
        self._unreadable.add(what)
