"""The feed: gapless, in commit order, and each job's revisions in order, whoever numbers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from mediagen.store.v1 import feed_pb2
from mediagen.store.v1 import job_store_service_pb2 as sb
from store.adapters.database import Database, PoolSettings
from store.adapters.feed import Feed, Position
from store.adapters.jobs import Jobs, lock
from store.adapters.wakeups import Wakeups
from store.adapters.writes import write
from store.domain.job import revise

from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def number_all(bench: Bench) -> list[feed_pb2.FeedEvent]:
    numbered: list[feed_pb2.FeedEvent] = []
    while batch := await bench.feed.number(TENANT):
        numbered += batch
    return numbered


async def whole_feed(bench: Bench) -> list[feed_pb2.FeedEvent]:
    return (await bench.feed.read(TENANT, Position(1, 0), 10_000))[0]


def assert_whole(feed: list[feed_pb2.FeedEvent], events: int) -> None:
    """Numbers 1, 2, 3, … and within each job its revisions 1, 2, 3, …"""
    assert [each.position.sequence for each in feed] == list(range(1, events + 1))
    revisions = defaultdict(list)
    for each in feed:
        revisions[each.job.job_id].append(each.job.revision)
    for found in revisions.values():
        assert found == list(range(1, len(found) + 1))


async def test_what_commits_late_is_numbered_late_and_leaves_no_hole(bench: Bench) -> None:
    """The slow transaction took its serial first and commits last."""
    slow, fast = await bench.submit(), await bench.submit()
    await number_all(bench)
    jobs, written, go = Jobs(bench.database, Wakeups()), asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with bench.database.transaction() as connection:
            change = await lock(connection, UUID(slow.job_id), None)
            await write(connection, change.job, revise(change.job, change.now), change.now)
            written.set()
            await go.wait()

    task = asyncio.create_task(slowly())
    await written.wait()
    async with jobs.change("show_progress", UUID(fast.job_id)) as change:
        change.save(revise(change.job, change.now))
    first = await number_all(bench)
    assert [(e.job.job_id, e.position.sequence) for e in first] == [(fast.job_id, 3)]
    go.set()
    await task
    second = await number_all(bench)
    assert [(e.job.job_id, e.position.sequence) for e in second] == [(slow.job_id, 4)]
    assert_whole(await whole_feed(bench), 4)


async def test_many_writers_and_many_numberers_make_one_order(
    bench: Bench, database_url: str
) -> None:
    """Three replicas number while eight jobs change in transactions of uneven length."""
    ids = [UUID((await bench.submit()).job_id) for _ in range(8)]
    jobs, done = Jobs(bench.database, Wakeups()), asyncio.Event()

    async def change(job_id: UUID, seed: int) -> None:
        for n in range(12):
            async with jobs.change("show_progress", job_id) as change:
                change.save(revise(change.job, change.now))
                await asyncio.sleep((seed * 7 + n * 3) % 5 / 200)

    heard: list[list[int]] = [[], [], []]

    async def number(mine: list[int]) -> None:
        database = Database(database_url, PoolSettings(size=1, overflow=0))
        feed = Feed(database)
        while True:
            last = done.is_set()
            batch = await feed.number(TENANT)
            mine += [each.position.sequence for each in batch]
            if last and not batch:
                break
            await asyncio.sleep(0.002)
        await database.close()

    numberers = [asyncio.create_task(number(mine)) for mine in heard]
    await asyncio.gather(*(change(job_id, n) for n, job_id in enumerate(ids)))
    done.set()
    await asyncio.gather(*numberers)
    events = 8 + 8 * 12
    assert_whole(await whole_feed(bench), events)
    told = sorted(sequence for mine in heard for sequence in mine)
    assert told == list(range(1, events + 1)), "each is told by one replica"
    assert all(mine == sorted(mine) for mine in heard)


async def test_a_reader_goes_on_from_any_position(bench: Bench) -> None:
    """By pages, without a repeat; at the head there is nothing; the head is told with each."""
    for _ in range(5):
        await bench.submit()
    await number_all(bench)
    after, seen = Position(1, 0), []
    while True:
        events, head = await bench.feed.read(TENANT, after, 2)
        assert head == Position(1, 5)
        if not events:
            break
        assert len(events) <= 2
        seen += [each.position.sequence for each in events]
        after = Position(1, seen[-1])
    assert seen == [1, 2, 3, 4, 5]
    assert (await bench.feed.read(TENANT, Position(1, 99), 2))[0] == []


async def test_another_generation_reads_nothing_and_is_told_the_head(bench: Bench) -> None:
    """After a restore the numbers mean something else: the reader starts anew."""
    await bench.submit()
    await number_all(bench)
    for generation in (0, 2):
        after = feed_pb2.FeedPosition(generation=generation, sequence=0)
        request = sb.ReadFeedRequest(tenant=TENANT, after=after)
        answer = await bench.store.ReadFeed(request, NO_CONTEXT)
        assert not answer.events
        assert (answer.head.generation, answer.head.sequence) == (1, 1)


async def test_feeds_of_tenants_are_apart(bench: Bench) -> None:
    """Each has numbers of its own; an unknown tenant's feed is empty."""
    mine = await bench.submit()
    request = sb.CreateJobRequest(tenant="other", request=mine.request)
    theirs = (await bench.store.CreateJob(request, NO_CONTEXT)).job
    assert sorted(await bench.feed.unnumbered_tenants()) == sorted([TENANT, "other"])
    await number_all(bench)
    (event,) = await bench.feed.number("other")
    assert (event.job.job_id, event.position.sequence) == (theirs.job_id, 1)
    head = (await bench.store.ReadFeed(sb.ReadFeedRequest(tenant="none"), NO_CONTEXT)).head
    assert (head.generation, head.sequence) == (1, 0)


async def test_a_revision_in_the_feed_is_without_its_request(bench: Bench) -> None:
    """What never changes is not told again."""
    await bench.submit(prompt="long " * 1000)
    (event,) = await number_all(bench)
    assert not event.job.HasField("request")
    assert len(event.SerializeToString()) < 500
