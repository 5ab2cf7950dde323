"""Does a watcher see every revision once, in order, or is told of a gap and given a snapshot?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import Draining, TooManyWatchers
from gateway.watch.feed import Feed
from gateway.watch.hub import Hub
from gateway.watch.told import Told
from gateway.watch.watching import JobWatch
from mediagen.v1.generation_service_pb2 import WatchJobResponse
from servicekit.lifecycle import Stop
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource

BUFFERED = 4
ACTIONS = (
    "change", "change", "change", "hint", "hint", "read", "look", "look", "number",
    "leave", "forget", "anew", "burst", "quiet", "resume", "skip",
)  # fmt: skip


class Reader:
    """A watcher that checks each message against the rule as it comes."""

    def __init__(self, hub: Hub, store: FakeStore, job_id: str) -> None:
        self._hub = hub
        self._store = store
        self._job_id = job_id
        self._open = AsyncExitStack()
        self._watch: JobWatch | None = None
        self._events: AsyncIterator[Told[WatchJobResponse]] | None = None
        self._gap_to: int | None = None
        self.last = 0
        self.ended = False

    async def look(self) -> bool:
        """Takes one message; False if there was only silence, or the end."""
        if self._watch is None or self._events is None:
            watching = self._hub.watch_job("default", self._job_id, self.last)
            self._watch = await self._open.enter_async_context(watching)
            self._events = self._watch.events()
        # So that silence is told at once.
        self._watch.beat_due = True
        try:
            event = (await anext(self._events)).message
        except StopAsyncIteration:
            self.ended = True
            return False
        match event.WhichOneof("event"):
            case "snapshot":
                first = self.last == 0 and self._gap_to is None
                expected = (self._gap_to or self.last) + 1
                assert first or event.snapshot.revision == expected
                self._gap_to = None
                self.last = event.snapshot.revision
            case "update":
                assert self._gap_to is None
                assert event.update.revision == self.last + 1
                self.last = event.update.revision
            case "gap":
                self._check_gap(event.gap.from_revision, event.gap.to_revision)
                self._gap_to = event.gap.to_revision
            case _:
                assert event.heartbeat.revision == self.last
                return False
        return True

    def _check_gap(self, first: int, last: int) -> None:
        assert first == self.last + 1 <= last
        kept = {each.revision for each in self._store.kept[self._job_id].revisions}
        assert first not in kept or last - first + 1 >= BUFFERED, "a gap without need"

    async def leave(self) -> None:
        """Disconnects; what was not looked at is lost."""
        await self._open.aclose()
        self._watch = self._events = None
        self._gap_to = None


@settings(max_examples=300, deadline=None)
@given(
    actions=st.lists(st.sampled_from(ACTIONS), max_size=60),
    seed=st.integers(0, 2**32),
    racing=st.booleans(),
)
def test_every_revision_comes_once_in_order_or_is_told_as_a_gap(
    actions: list[str], seed: int, racing: bool
) -> None:
    """Whatever is doubled, dropped, disordered, late, forgotten, or left and resumed."""
    asyncio.run(_follow(actions, Random(seed), racing))


async def _follow(actions: list[str], random: Random, racing: bool) -> None:
    world = World(random, racing)
    stop = Stop()
    running = asyncio.create_task(world.hub.run(stop))
    async with asyncio.timeout(20):
        for action in actions:
            await world.act(action)
        world.store.finish(world.job_id)
        await world.quiet()
    assert world.reader.ended
    await world.reader.leave()
    assert world.hub.watchers == 0
    stop.set()
    await running


class World:
    """A job, another one beside it, a hub and a reader; and everything that can happen to them."""

    def __init__(self, random: Random, racing: bool) -> None:
        self.random = random
        self.racing = racing
        self.store = FakeStore()
        self.job_id, self.other = self.store.add().job_id, self.store.add().job_id
        self.store.numbers_at_once = False
        source = StoreSource(self.store, self._race)
        self.hub = Hub(
            source,
            behind=BUFFERED,
            read_every=60,
            heartbeat=3600,
            new_feed=partial(Feed, kept_events=BUFFERED),
        )
        self.reader = Reader(self.hub, self.store, self.job_id)
        self._calm = False

    async def act(self, action: str) -> None:
        store, random = self.store, self.random
        match action:
            case "change":
                self._change()
            case "burst":
                for _ in range(BUFFERED * 2):
                    self._change()
                    store.number()
                    await self.hub.hear(store.batch(len(store.feed)))
            case "number":
                store.number()
            case "hint" if store.feed:
                first = random.randint(1, len(store.feed))
                await self.hub.hear(store.batch(first, random.randint(first, len(store.feed))))
            case "read":
                await self._read()
            case "look":
                await self.reader.look()
            case "leave":
                await self.reader.leave()
            case "forget":
                newest = store.kept[self.job_id].job.revision
                store.forget(self.job_id, before=random.randint(1, newest))
            case "anew":
                store.restart_feed()
            case "quiet":
                await self.quiet()
            case "skip":
                # A hint of another job comes, and the one of ours before it never does.
                store.change(self.job_id)
                store.change(self.other)
                store.number()
                await self.hub.hear(store.batch(len(store.feed)))
                await self.quiet()
            case "resume":
                # The open is where a change can slip between two reads; nothing may hide that.
                await self.reader.leave()
                await self.reader.look()
                await self.quiet()

    async def quiet(self) -> None:
        """Once the feed is read, a watcher has all there is: nothing waits for another change."""
        self._calm = True
        await self.reader.look()
        self.store.number()
        await self._read()
        while await self.reader.look():
            pass
        assert self.reader.last == self.store.kept[self.job_id].job.revision
        self._calm = False

    def _change(self) -> None:
        self.store.change(self.random.choice([self.job_id, self.job_id, self.other]))
        if self.random.random() < 0.5:
            self.store.number()

    def _race(self) -> None:
        """Something commits while an answer is on its way."""
        if self.racing and not self._calm and self.random.random() < 0.5:
            self._change()

    async def _read(self) -> None:
        """Lets the hub read the feed to its head."""
        await self.hub.resync()
        for _ in range(8):
            await asyncio.sleep(0)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


async def _took(events: AsyncIterator[Any], count: int) -> list[WatchJobResponse]:
    async with asyncio.timeout(5):
        return [(await anext(events)).message for _ in range(count)]


async def test_a_hint_comes_without_a_read_of_the_feed(store: FakeStore) -> None:
    """The broker saves the second: the feed is read for its head, once, at the start."""
    hub = Hub(StoreSource(store), read_every=60)
    job = store.add()
    async with hub.watch_job("default", job.job_id, 0) as watch:
        events = watch.events()
        await _took(events, 1)
        store.change(job.job_id)
        asked = len(store.seen)
        await hub.hear(store.batch(2))
        [event] = await _took(events, 1)
    assert event.update.revision == 2
    assert len(store.seen) == asked


@pytest.mark.parametrize("answer", [1, 2])
async def test_a_change_while_a_watch_opens_is_not_missed(store: FakeStore, answer: int) -> None:
    """Behind the first answer of the store or the second: it is in the snapshot or comes after."""
    job = store.add()
    answers = 0

    def change() -> None:
        nonlocal answers
        answers += 1
        if answers == answer:
            store.change(job.job_id)

    hub = Hub(StoreSource(store, change), read_every=0.01)
    stop = Stop()
    running = asyncio.create_task(hub.run(stop))
    async with hub.watch_job("default", job.job_id, 0) as watch, asyncio.timeout(5):
        async for told in watch.events():
            event = told.message
            if (event.snapshot.revision or event.update.revision) == 2:
                break
    stop.set()
    await running


async def test_silence_is_filled_with_heartbeats(store: FakeStore) -> None:
    """Each says how far the stream is."""
    hub = Hub(StoreSource(store), heartbeat=0.01)
    job, stop = store.add(), Stop()
    running = asyncio.create_task(hub.run(stop))
    async with hub.watch_job("default", job.job_id, 0) as watch:
        events = await _took(watch.events(), 3)
    stop.set()
    await running
    assert [each.WhichOneof("event") for each in events] == ["snapshot", "heartbeat", "heartbeat"]
    assert events[-1].heartbeat.revision == 1


async def test_a_slow_reader_gets_a_gap_and_a_snapshot(store: FakeStore) -> None:
    """Never silence, and never more than the buffer in memory."""
    hub = Hub(StoreSource(store), behind=8, new_feed=partial(Feed, kept_events=8))
    job = store.add()
    async with hub.watch_job("default", job.job_id, 0) as watch:
        events = watch.events()
        await _took(events, 1)
        for number in range(2, 30):
            store.change(job.job_id)
            await hub.hear(store.batch(number))
        gap, snapshot = await _took(events, 2)
    assert (gap.gap.from_revision, gap.gap.to_revision) == (2, 28)
    assert snapshot.snapshot.revision == 29
    assert snapshot.snapshot.HasField("request")


async def test_a_long_backlog_is_read_page_by_page(store: FakeStore) -> None:
    """A resume is no slow reader: all that is kept is sent, however much."""
    hub = Hub(StoreSource(store), behind=8)
    job = store.add()
    for _ in range(450):
        store.change(job.job_id)
    store.finish(job.job_id)
    async with hub.watch_job("default", job.job_id, 1) as watch:
        revisions = [each.message.update.revision async for each in watch.events()]
    assert revisions == list(range(2, 453))


async def test_past_retention_is_told(store: FakeStore) -> None:
    """What is no longer kept is named, and the snapshot stands for it."""
    hub = Hub(StoreSource(store))
    job = store.add()
    for _ in range(9):
        store.change(job.job_id)
    store.forget(job.job_id, before=6)
    async with hub.watch_job("default", job.job_id, 2) as watch:
        gap, snapshot = await _took(watch.events(), 2)
    assert (gap.gap.from_revision, gap.gap.to_revision) == (3, 9)
    assert snapshot.snapshot.revision == 10


async def test_revisions_that_are_no_more_are_told(store: FakeStore) -> None:
    """The store was restored to an earlier moment: the watch goes on from there."""
    hub = Hub(StoreSource(store))
    job = store.add()
    store.change(job.job_id)
    async with hub.watch_job("default", job.job_id, 7) as watch:
        events = watch.events()
        gap, snapshot = await _took(events, 2)
        store.change(job.job_id)
        await hub.hear(store.batch(3))
        [update] = await _took(events, 1)
    assert (gap.gap.from_revision, gap.gap.to_revision) == (3, 7)
    assert (snapshot.snapshot.revision, update.update.revision) == (2, 3)


async def test_there_are_no_more_watchers_than_allowed(store: FakeStore) -> None:
    """One that left makes room."""
    hub = Hub(StoreSource(store), most_watchers=1)
    job = store.add()
    async with hub.watch_job("default", job.job_id, 0):
        with pytest.raises(TooManyWatchers):
            await hub.watch_job("default", job.job_id, 0).__aenter__()
    async with hub.watch_job("default", job.job_id, 0):
        assert hub.watchers == 1


async def test_draining_ends_open_watches_and_refuses_new_ones(store: FakeStore) -> None:
    hub = Hub(StoreSource(store))
    job = store.add()
    async with hub.watch_job("default", job.job_id, 0) as watch:
        events = watch.events()
        await _took(events, 1)
        hub.drain()
        with pytest.raises(Draining):
            await anext(events)
    with pytest.raises(Draining):
        await hub.watch_job("default", job.job_id, 0).__aenter__()


async def test_a_hint_that_nobody_can_read_is_no_harm(store: FakeStore) -> None:
    hub = Hub(StoreSource(store))
    async with hub.watch_job("default", store.add().job_id, 0):
        await hub.hear(b"\xff\xff not a FeedBatch")
