"""Does a watcher of jobs see every revision of each once, in order, or is told of a gap?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import Draining
from gateway.watch.cursor import Cursor
from gateway.watch.feed import Feed
from gateway.watch.filters import JobFilter
from gateway.watch.hub import Hub
from mediagen.v1 import job_pb2
from servicekit.lifecycle import Stop
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource
from tests.unit.jobs_watch_world import KEPT, World

Job = job_pb2.Job
ACTIONS = (
    "add", "change", "change", "change", "hint", "hint", "hint", "number", "number", "read",
    "look", "look", "look", "look", "leave", "burst", "drop", "fail", "save", "restore", "quiet",
)  # fmt: skip
FILTERS = (
    JobFilter(),
    JobFilter(states=frozenset({Job.STATE_PENDING})),
    JobFilter(states=frozenset({Job.STATE_RUNNING, Job.STATE_COMPLETED})),
    JobFilter(model="a/b", labels=frozenset({("team", "x")})),
    JobFilter(states=frozenset({Job.STATE_RUNNING}), model="c/d"),
)


@settings(max_examples=200, deadline=None)
@given(
    actions=st.lists(st.sampled_from(ACTIONS), max_size=60),
    seed=st.integers(0, 2**32),
    racing=st.booleans(),
    wanted=st.sampled_from(FILTERS),
)
def test_what_a_watcher_is_told_adds_up_to_what_the_store_has(
    actions: list[str], seed: int, racing: bool, wanted: JobFilter
) -> None:
    """Whatever is doubled, dropped, disordered or late, left and resumed at another gateway,
    restored to an earlier moment, or no longer kept: no revision is left out without a gap, no
    gap is told without need, and the end is the store's."""
    asyncio.run(_follow(actions, Random(seed), racing, wanted))


async def _follow(actions: list[str], random: Random, racing: bool, wanted: JobFilter) -> None:
    world = World(random, racing, wanted)
    stop = Stop()
    running = [asyncio.create_task(hub.run(stop)) for hub in world.hubs]
    async with asyncio.timeout(20):
        for action in actions:
            await world.act(action)
        await world.quiet()
    await world.leave()
    assert [hub.watchers for hub in world.hubs] == [0, 0]
    stop.set()
    await asyncio.gather(*running)


def world() -> tuple[FakeStore, Hub]:
    """A store that numbers at once, and a gateway over it that keeps little."""
    store = FakeStore()
    return store, Hub(StoreSource(store), read_every=60, new_feed=partial(Feed, kept_events=KEPT))


async def took(events: AsyncIterator[Any], count: int = 1) -> list[Any]:
    async with asyncio.timeout(5):
        return [(await anext(events)).message for _ in range(count)]


async def test_the_past_does_not_run_ahead_of_the_feed() -> None:
    """The store may have more than this gateway has applied: that comes by the feed, without a
    gap."""
    store, hub = world()
    job = store.add()
    for _ in range(9):
        store.change(job.job_id)
    stop = Stop()
    running = asyncio.create_task(hub.run(stop))
    async with hub.watch_jobs("default", JobFilter(), None):
        for _ in range(3):
            store.change(job.job_id)
        async with hub.watch_jobs("default", JobFilter(), Cursor(1, 2, 0)) as watch:
            events = watch.events()
            told = await took(events, 8)
            await hub.resync()
            told += await took(events, 3)
    assert [each.update.revision for each in told] == list(range(3, 14))
    stop.set()
    await running


async def test_long_events_come_in_pages_of_few() -> None:
    """However short a page is, the next one goes on behind it: there is no gap in what is kept."""
    store, hub = world()
    job = store.add()
    for _ in range(300):
        store.change(job.job_id)
    store.page = 7
    async with hub.watch_jobs("default", JobFilter(), Cursor(1, 200, 0)) as watch:
        told = await took(watch.events(), 101)
    assert [each.update.revision for each in told] == list(range(201, 302))


async def test_a_slow_reader_of_jobs_gets_a_gap_and_what_is_open_or_ended_since() -> None:
    """What a watcher holds is a place in what the gateway keeps: it is as small as any other."""
    store, hub = world()
    gone, ended, still = store.add(), store.add(), store.add()
    store.finish(gone.job_id)
    async with hub.watch_jobs("default", JobFilter(), None) as watch:
        events = watch.events()
        assert [each.WhichOneof("event") for each in await took(events, 3)][-1] == "synced"
        store.finish(ended.job_id)
        for _ in range(KEPT * 2):
            store.change(still.job_id)
        for number in range(5, len(store.feed) + 1):
            await hub.hear(store.batch(number))
        gap, *snapshots, synced = await took(events, 5)
        assert gap.gap.from_time.seconds % 60 == 0 and not gap.gap.restored
        assert {each.snapshot.job_id for each in snapshots} == set(store.kept)
        assert synced.synced.snapshots == 3
        assert Cursor.parsed(synced.cursor, "default").sequence == len(store.feed)


async def test_synced_waits_until_what_was_shown_has_its_place() -> None:
    """Else its cursor would stand before a revision that a snapshot has shown already."""
    store, hub = world()
    store.add()
    store.numbers_at_once = False
    new = store.add()
    async with hub.watch_jobs("default", JobFilter(), None) as watch:
        events = watch.events()
        assert {each.snapshot.job_id for each in await took(events, 2)} == set(store.kept)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        store.number()
        told = (await asyncio.wait_for(waiting, 5)).message
        assert told.synced.snapshots == 2
        assert Cursor.parsed(told.cursor, "default").sequence == 2
        store.change(new.job_id)
        store.number()
        await hub.hear(store.batch(3))
        assert (await took(events))[0].update.revision == 2


async def test_an_event_of_before_may_have_left_any_state() -> None:
    """Rows of an older version do not say the state before: rather one update too many."""
    store, hub = world()
    job = store.add()
    store.change(job.job_id, state=Job.STATE_RUNNING)
    store.feed[-1].previous_state = Job.STATE_UNSPECIFIED
    wanted = JobFilter(states=frozenset({Job.STATE_PENDING}))
    async with hub.watch_jobs("default", wanted, Cursor(1, 1, 0)) as watch:
        [told] = await took(watch.events())
    assert told.update.revision == 2 and told.update.HasField("request")


async def test_draining_ends_watches_of_jobs_and_refuses_new_ones() -> None:
    """Callers go on elsewhere with the cursor that they have."""
    store, hub = world()
    store.add()
    async with hub.watch_jobs("default", JobFilter(), None) as watch:
        events = watch.events()
        await took(events, 2)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        hub.drain()
        with pytest.raises(Draining):
            await waiting
    with pytest.raises(Draining):
        await hub.watch_jobs("default", JobFilter(), None).__aenter__()
