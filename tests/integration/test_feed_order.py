"""Commits that land out of order in Postgres never make a reader of the feed skip one.

Each event takes its serial when it is written and is seen when its transaction commits, so that a
slow transaction makes an older serial appear behind newer ones. In the storm here most do.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration

from mediagen.store.v1 import feed_pb2
from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.database import Database, PoolSettings
from store.adapters.feed import Feed, Position
from store.adapters.feed_statements import number
from store.adapters.jobs import Jobs, lock
from store.adapters.submissions import insert_job, new_job
from store.adapters.wakeups import Wakeups
from store.adapters.writes import write
from store.domain.job import revise

from .store_bench import TENANT, Bench, store_bench

WRITERS, CHANGES = 12, 12  # a transaction of each writer's is open nearly all the time
EVENTS = WRITERS * (1 + CHANGES)
REQUEST = job_pb2.JobRequest(model="owner/model", prompt="a red fox", timeout=Duration(seconds=60))
Key = tuple[str, int]


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


@asynccontextmanager
async def feed_of_another_store(database_url: str) -> AsyncIterator[Feed]:
    database = Database(database_url, PoolSettings(size=2))
    yield Feed(database, Wakeups())
    await database.close()


def key_of(event: feed_pb2.FeedEvent) -> Key:
    return event.job.job_id, event.job.revision


def assert_gapless(events: list[feed_pb2.FeedEvent], count: int) -> None:
    """Numbers 1, 2, 3, … and within each job its revisions 1, 2, 3, …: each once."""
    assert [each.position.sequence for each in events] == list(range(1, count + 1))
    revisions = defaultdict(list)
    for each in events:
        revisions[each.job.job_id].append(each.job.revision)
    for found in revisions.values():
        assert found == list(range(1, len(found) + 1))


@dataclass
class Storm:
    """Writers that hold their commits back, numberers that race, readers that follow."""

    bench: Bench
    url: str
    dice: random.Random = field(default_factory=lambda: random.Random(29))
    committed: dict[Key, float] = field(default_factory=dict)  #: when the commit was answered
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def rage(self) -> None:
        writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]
        await asyncio.gather(*writers)
        self.over.set()

    async def _write(self) -> None:
        """A new job, then its changes: each transaction stays open after it has written."""
        database = self.bench.database
        async with database.transaction() as connection:
            job = new_job(TENANT, REQUEST, database.now())
            await insert_job(connection, job, REQUEST)
            await self._hold_back()
        self.committed[str(job.job_id), 1] = time.time()
        for n in range(CHANGES):
            async with database.transaction() as connection:
                change = await lock(connection, job.job_id, None)
                await write(connection, change.job, revise(change.job, change.now), change.now)
                await self._hold_back()
            self.committed[str(job.job_id), n + 2] = time.time()

    async def _hold_back(self) -> None:
        await asyncio.sleep(self.dice.choice((0, 0, 0.005, 0.02, 0.05, 0.15)))

    async def number(self) -> list[list[feed_pb2.FeedEvent]]:
        """Batches, as one store of several numbers them until the storm is over."""
        batches = []
        async with feed_of_another_store(self.url) as feed:
            while True:
                last = self.over.is_set()
                batches.append(await feed.number(TENANT))
                if last and not batches[-1]:
                    return batches
                await asyncio.sleep(self.dice.uniform(0, 0.004))

    async def follow(self, limit: int) -> list[feed_pb2.FeedEvent]:
        """What a reader by the cursor is given, in the order in which it was."""
        given: list[feed_pb2.FeedEvent] = []
        async with feed_of_another_store(self.url) as feed:
            after = Position(1, 0)
            while len(given) < EVENTS:
                part = await feed.read(TENANT, after, limit)
                given += part.events
                if part.events:
                    last = part.events[-1].position
                    after = Position(last.generation, last.sequence)
                await asyncio.sleep(self.dice.uniform(0, 0.01))
        return given

    async def follow_serials(self) -> int:
        """How many events a reader by `event_id` is given: what it skips is the disorder."""
        events, last, given = t.events.c, 0, 0
        while not self.over.is_set():
            query = sa.select(events.event_id).where(events.event_id > last)
            async with self.bench.database.single() as connection:
                rows = (await connection.execute(query)).scalars().all()
            given += len(rows)
            last = max([last, *rows])
            await asyncio.sleep(0.005)
        return given


async def test_no_reader_skips_a_commit_that_lands_late(bench: Bench, database_url: str) -> None:
    """Two stores number, three readers follow: each sees every revision once, each job in order."""
    storm = Storm(bench, database_url)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(storm.rage())
        numberers = [group.create_task(storm.number()) for _ in range(2)]
        readers = [group.create_task(storm.follow(limit)) for limit in (1, 7, 500)]
        by_serial = group.create_task(storm.follow_serials())
    for reader in readers:
        given = reader.result()
        assert_gapless(given, EVENTS)
        assert {key_of(each) for each in given} == set(storm.committed)
    assert by_serial.result() < EVENTS, "the commits came in order: this proves nothing"
    told = [batch for numberer in numberers for batch in numberer.result() if batch]
    assert all(any(numberer.result()) for numberer in numberers), "one store did it all"
    told.sort(key=lambda batch: batch[0].position.sequence)
    assert [each for batch in told for each in batch] == readers[0].result(), "told by one store"


async def test_what_was_committed_before_as_of_is_at_or_before_the_head(
    bench: Bench, database_url: str
) -> None:
    """So a heartbeat can say honestly how current its stream is."""
    storm = Storm(bench, database_url)
    heads: list[tuple[float, int]] = []

    async def look(feed: Feed) -> None:
        while not storm.over.is_set():
            part = await feed.read(TENANT, None, 1)
            heads.append((part.as_of.timestamp(), part.head.sequence))
            await asyncio.sleep(0.002)

    async with feed_of_another_store(database_url) as feed, asyncio.timeout(120):
        async with asyncio.TaskGroup() as group:
            group.create_task(storm.rage())
            group.create_task(storm.number())
            group.create_task(look(feed))
        whole = (await feed.read(TENANT, Position(1, 0), EVENTS)).events
    place = {key_of(each): each.position.sequence for each in whole}
    assert set(place) == set(storm.committed)
    for as_of, head in heads:
        missed = [key for key, at in storm.committed.items() if at < as_of and place[key] > head]
        assert not missed, f"at {as_of} the head {head} had not reached {missed}"
    assert 0 < heads[len(heads) // 2][1] < EVENTS, "looked at in the middle of it"


async def test_what_commits_late_is_numbered_late_and_leaves_no_hole(bench: Bench) -> None:
    """The slow transaction took its serial first and commits last."""
    slow, fast = await bench.submit(), await bench.submit()
    await bench.feed.number(TENANT)
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
    first = await bench.feed.number(TENANT)
    assert [(e.job.job_id, e.position.sequence) for e in first] == [(fast.job_id, 3)]
    go.set()
    await task
    second = await bench.feed.number(TENANT)
    assert [(e.job.job_id, e.position.sequence) for e in second] == [(slow.job_id, 4)]
    assert_gapless((await bench.feed.read(TENANT, Position(1, 0), 100)).events, 4)


async def test_who_waits_for_the_head_numbers_behind_what_was_numbered_meanwhile(
    bench: Bench, database_url: str
) -> None:
    """Its statement began before: what it saw then is not what is there once the lock is its."""
    await bench.submit()
    await bench.feed.number(TENANT)
    second = await bench.submit()
    async with feed_of_another_store(database_url) as other:
        async with bench.database.transaction() as connection:
            mine = (await connection.execute(number(), {"of_tenant": TENANT})).all()
            late = asyncio.create_task(other.number(TENANT))
            await asyncio.sleep(0.3)
            assert not late.done()
            third = await bench.submit()
        theirs = await late
    assert [row.sequence for row in mine] == [2]
    assert [(e.job.job_id, e.position.sequence) for e in theirs] == [(third.job_id, 3)]
    whole = (await bench.feed.read(TENANT, Position(1, 0), 100)).events
    assert [each.job.job_id for each in whole[1:]] == [second.job_id, third.job_id]


async def test_as_of_stays_behind_what_is_not_numbered(bench: Bench) -> None:
    """It goes on with the clock once everything is; of a tenant without events it is now."""
    unknown = (await bench.feed.read("nobody", None, 1)).as_of
    await bench.submit()
    waiting = await bench.feed.read(TENANT, None, 1)
    await bench.submit()
    still = await bench.feed.read(TENANT, None, 1)
    assert waiting.as_of == still.as_of > unknown
    assert still.head == Position(1, 0)
    await bench.feed.number(TENANT)
    done = await bench.feed.read(TENANT, None, 1)
    assert done.as_of > still.as_of
    assert done.head == Position(1, 2)
