"""What is read of the feed: by pages, by generation, by tenant, and what each event carries.

The order of it is test_feed_order's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import feed_pb2
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import job_pb2
from store.adapters.database import CLOCK
from store.adapters.feed import Position
from store.adapters.feed_statements import BATCH_BYTES

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
    return (await bench.feed.read(TENANT, Position(1, 0), 10_000)).events


async def test_a_reader_goes_on_from_any_position(bench: Bench) -> None:
    """By pages, without a repeat; at the head there is nothing; the head is told with each."""
    for _ in range(5):
        await bench.submit()
    await number_all(bench)
    after, seen = Position(1, 0), []
    while True:
        part = await bench.feed.read(TENANT, after, 2)
        events = part.events
        assert part.head == Position(1, 5)
        if not events:
            break
        assert len(events) <= 2
        seen += [each.position.sequence for each in events]
        after = Position(1, seen[-1])
    assert seen == [1, 2, 3, 4, 5]
    assert (await bench.feed.read(TENANT, Position(1, 99), 2)).events == []


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


async def test_only_the_first_revision_in_the_feed_has_its_request(bench: Bench) -> None:
    """What never changes is not told again; what a filter looks at is, with each revision."""
    job = await bench.submit(prompt="long " * 1000, labels={"team": "red"})
    await bench.claim(job.job_id)
    told = await number_all(bench)
    assert told == await whole_feed(bench), "a hint says what the feed says"
    first, second = told
    assert first.request == job.request
    assert not second.HasField("request")
    assert len(second.SerializeToString()) < 500
    for event in told:
        assert not event.job.HasField("request")
        assert (event.model, dict(event.labels)) == ("owner/model", {"team": "red"})
    assert first.previous_state == job_pb2.Job.STATE_UNSPECIFIED
    assert second.previous_state == job_pb2.Job.STATE_PENDING


async def test_long_requests_are_numbered_and_read_a_few_at_a_time(bench: Bench) -> None:
    """A burst of them is neither one message nor one answer; an event is never too long alone."""
    long = "x" * (BATCH_BYTES // 4)
    for _ in range(9):
        await bench.submit(prompt=long)
    batches = [len(await bench.feed.number(TENANT)) for _ in range(4)]
    assert batches == [4, 4, 1, 0]
    after, pages = 0, []
    while events := (await bench.feed.read(TENANT, Position(1, after), 500)).events:
        after = events[-1].position.sequence
        pages.append(len(events))
    assert pages == [4, 4, 1]
    huge = await bench.submit(prompt="x" * (2 * BATCH_BYTES))
    (event,) = await bench.feed.number(TENANT)
    assert event.request == huge.request


async def test_a_store_whose_clock_is_ahead_makes_no_feed_look_current(bench: Bench) -> None:
    """What it committed and nobody has numbered yet is not behind `as_of`: else who watches would
    be told that all is told, and then of the job."""
    bench.database._offset += timedelta(seconds=2)
    await bench.submit()
    async with bench.database.single() as connection:
        committed = (await connection.execute(sa.select(CLOCK))).scalar_one()
    assert (await bench.feed.read(TENANT, None, 1)).as_of < committed
