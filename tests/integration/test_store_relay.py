"""Does a dispatched job reach a worker, whatever happens to broker, relay and messages?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import aio_pika
import pytest
import sqlalchemy as sa
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from devstack.testing import Broker
from jobqueue.declaring import declare
from jobqueue.publisher import Publisher
from mediagen.generator.v1.messages_pb2 import DeadLetter, WorkMessage
from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import attempt_pb2, failure_pb2
from store.adapters import tables as t
from store.adapters.database import CLOCK
from store.adapters.wakeups import Wakeups
from store.loops.relay import _MOVED_ON, Relay

from .publishing import publishing
from .store_bench import Bench, store_bench

WORK = "jobs.work.default"


@dataclass
class Line:
    """A bench whose relay publishes to a real broker, and the worker's end of it."""

    bench: Bench
    relay: Relay
    publisher: Publisher
    channel: AbstractChannel

    async def taken(self, queue: str = WORK, within: float = 8) -> AbstractIncomingMessage:
        """The next message, acknowledged."""
        source = await self.channel.get_queue(queue, ensure=False)
        deadline = time.monotonic() + within
        while (message := await source.get(fail=False)) is None:
            assert time.monotonic() < deadline, f"nothing came to {queue} within {within} s"
            await asyncio.sleep(0.02)
        await message.ack()
        return message

    async def count(self, queue: str = WORK) -> int:
        """How many messages are there. A quorum queue's count may lag, so it is asked twice."""
        await asyncio.sleep(0.3)
        declared: Any = await self.channel.declare_queue(queue, passive=True)
        return int(declared.declaration_result.message_count)

    async def dispatch(self, job_id: str) -> Any:
        """The job's dispatch row, with the seconds until it is looked at again."""
        d = t.dispatches
        query = sa.select(d, (d.c.available_at - CLOCK).label("wait"))
        async with self.bench.database.single() as connection:
            result = await connection.execute(query.where(d.c.job_id == UUID(job_id)))
            return result.one_or_none()

    async def admitted(self) -> tuple[str, int]:
        """A job with a dispatch row, and its number."""
        job = await self.bench.submit()
        return job.job_id, await self.bench.dispatch_of(job.job_id)

    async def due_now(self, job_id: str) -> None:
        """Nobody claimed, and the time to publish again has come."""
        async with self.bench.database.transaction() as connection:
            await connection.execute(
                sa.update(t.dispatches)
                .where(t.dispatches.c.job_id == UUID(job_id))
                .values(available_at=CLOCK, relay_until=None)
            )


@pytest.fixture
async def line(database_url: str, amqp_url: str) -> AsyncIterator[Line]:
    async with (
        store_bench(database_url) as bench,
        publishing(amqp_url, timeout=3) as publisher,
        await aio_pika.connect(amqp_url) as connection,
    ):
        await declare(connection)
        channel = await connection.channel()
        yield Line(bench, Relay(bench.database, publisher, Wakeups()), publisher, channel)


def read(message: AbstractIncomingMessage) -> tuple[str, int]:
    body = WorkMessage.FromString(message.body)
    return body.job_id, body.dispatch


async def until(probe: Callable[[], Awaitable[bool]], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not await probe():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.1)


async def test_a_dispatch_is_published_once_and_its_row_moved_on(line: Line) -> None:
    """The confirm does not delete it: only a claim, a cancel or the end does."""
    job_id, dispatch = await line.admitted()
    for _ in range(3):
        await line.relay.turn()
    assert read(await line.taken()) == (job_id, dispatch)
    row = await line.dispatch(job_id)
    assert (row.published, row.relay_until) == (1, None)
    assert timedelta(seconds=50) < row.wait <= timedelta(seconds=60)
    assert await line.count() == 0


async def test_what_nobody_claims_is_published_again_and_ever_later(line: Line) -> None:
    """60 s, 120 s, … at most 10 minutes: a lost message is a delay."""
    job_id, dispatch = await line.admitted()
    waits = []
    for _ in range(6):
        await line.due_now(job_id)
        await line.relay.turn()
        assert read(await line.taken()) == (job_id, dispatch)
        waits.append(round((await line.dispatch(job_id)).wait.total_seconds(), -1))
    assert waits == [60, 120, 240, 480, 600, 600]


async def test_two_relays_at_once_publish_each_row_once(line: Line) -> None:
    """A row in one's hand is passed over by the other."""
    jobs = {(await line.admitted())[0] for _ in range(10)}
    other = Relay(line.bench.database, line.publisher, Wakeups())
    await asyncio.gather(*(relay.turn() for relay in (line.relay, other) * 3))
    assert {read(await line.taken())[0] for _ in range(10)} == jobs
    assert await line.count() == 0


async def test_a_retry_goes_through_the_ladder_and_is_never_early(line: Line) -> None:
    """2 s after the failure at the least, on the retry queue, not in the store."""
    bench = line.bench
    job_id, _ = await bench.submitted()
    await bench.ended(job_id, lb.FAILURE_KIND_TRANSIENT)
    begin = time.monotonic()
    row = await line.dispatch(job_id)
    assert row.level == "2s"
    await until(lambda: _sent(line, job_id), within=2)
    assert time.monotonic() - begin < 1.5, "it waits at the broker"
    assert read(await line.taken()) == (job_id, row.dispatch)
    assert 1.95 <= time.monotonic() - begin < 6


async def _sent(line: Line, job_id: str) -> bool:
    await line.relay.turn()
    return bool((await line.dispatch(job_id)).published)


async def test_an_unroutable_message_is_put_back_and_sent_later(line: Line) -> None:
    """Somebody deleted the queue: the row comes again after two seconds, the topology is mended."""
    job_id, dispatch = await line.admitted()
    await until(lambda: _connected(line))
    await line.channel.queue_delete(WORK)
    await line.relay.turn()
    row = await line.dispatch(job_id)
    assert (row.published, row.relay_until) == (0, None)
    assert timedelta() < row.wait <= timedelta(seconds=2)
    await until(lambda: _sent(line, job_id))
    assert read(await line.taken()) == (job_id, dispatch)


async def _connected(line: Line) -> bool:
    return line.publisher.connected


async def test_without_a_broker_nothing_is_lost(line: Line) -> None:
    """A relay whose broker is away puts everything back; the next one sends it."""
    job_id, dispatch = await line.admitted()
    nowhere = Publisher("amqp://guest:guest@127.0.0.1:1/", timeout=0.2)
    await Relay(line.bench.database, nowhere, Wakeups()).turn()
    row = await line.dispatch(job_id)
    assert (row.published, row.relay_until) == (0, None)
    await line.due_now(job_id)
    await line.relay.turn()
    assert read(await line.taken()) == (job_id, dispatch)


async def test_a_relay_killed_after_the_confirm_makes_a_double_that_finds_nothing(
    line: Line,
) -> None:
    """The update was never made: the message is sent twice, and claimed once."""
    job_id, dispatch = await line.admitted()
    (row,) = await line.relay._lease()
    assert await line.relay._publish(row)  # and here it dies
    await line.relay.turn()
    assert await line.count() == 1, "in its hand for 15 seconds"
    async with line.bench.database.transaction() as connection:
        await connection.execute(sa.update(t.dispatches).values(relay_until=CLOCK))
    await line.relay.turn()
    assert [read(await line.taken()) for _ in range(2)] == [(job_id, dispatch)] * 2
    first = await line.bench.claim(job_id, worker="w1", dispatch=dispatch)
    second = await line.bench.claim(job_id, worker="w2", dispatch=dispatch)
    assert first.lease_epoch == 1
    assert second.refusal == lb.REFUSAL_REASON_NOTHING_TO_CLAIM


async def test_a_confirm_that_comes_after_the_claim_changes_nothing(line: Line) -> None:
    """Worker faster than relay: the row is gone, and stays gone; a newer one is left alone."""
    job_id, dispatch = await line.admitted()
    (row,) = await line.relay._lease()
    assert await line.relay._publish(row)
    taken = await line.bench.claim(job_id, dispatch=dispatch)
    release = lb.ReleaseJobRequest(job_id=job_id, lease_epoch=taken.lease_epoch)
    await line.bench.ledger.ReleaseJob(release, None)
    async with line.bench.database.transaction() as connection:
        await connection.execute(_MOVED_ON, {"sent": [(row.job_id, row.dispatch)]})
    after = await line.dispatch(job_id)
    assert (after.dispatch, after.published) == (dispatch + 1, 0)


@pytest.mark.parametrize("end", ["claim", "cancel"])
async def test_a_claim_and_a_cancel_delete_the_row(line: Line, end: str) -> None:
    """Nothing is published about it any more."""
    job_id, dispatch = await line.admitted()
    if end == "claim":
        await line.bench.claim(job_id, dispatch=dispatch)
    else:
        await line.bench.cancel(job_id)
    assert await line.dispatch(job_id) is None
    await line.relay.turn()
    assert await line.count() == 0


async def test_a_job_that_is_given_up_is_published_to_the_dead_letters(line: Line) -> None:
    """Once, with its reason, its calls and what they cost; also after the broker was away."""
    bench = line.bench
    job_id, _ = await bench.submitted()
    await bench.ended(job_id, lb.FAILURE_KIND_PERMANENT, seconds=0.0)
    nowhere = Publisher("amqp://guest:guest@127.0.0.1:1/", timeout=0.2)
    await Relay(bench.database, nowhere, Wakeups()).turn()
    async with bench.database.transaction() as connection:
        await connection.execute(sa.update(t.dead_letters).values(available_at=CLOCK))
    for _ in range(3):
        await line.relay.turn()
    letter = DeadLetter.FromString((await line.taken("jobs.dead")).body)
    assert (letter.job_id, letter.tenant, letter.attempts) == (job_id, "default", 1)
    assert letter.failure.reason == failure_pb2.FAILURE_REASON_PROVIDER_FAILED
    assert letter.charge == attempt_pb2.CHARGE_NO
    assert await line.count("jobs.dead") == 0


async def test_a_job_ended_by_its_caller_is_no_dead_letter(line: Line) -> None:
    """Nobody has to look at it."""
    job = await line.bench.submit()
    await line.bench.cancel(job.job_id)
    await line.relay.turn()
    assert await line.count("jobs.dead") == 0


async def test_a_broker_that_was_wiped_still_gets_every_job(
    line: Line, amqp_url: str, broker: Broker
) -> None:
    """The rows are the truth: the same message comes again to the new queues."""
    job_id, dispatch = await line.admitted()
    await line.relay.turn()
    assert await line.count() == 1
    name = amqp_url.rpartition("/")[2]
    await asyncio.to_thread(broker.delete_vhost, amqp_url)
    await asyncio.to_thread(broker.create_vhost, name)
    await line.due_now(job_id)
    await until(lambda: _sent_twice(line, job_id), within=30)
    async with await aio_pika.connect(amqp_url) as connection:
        line.channel = await connection.channel()
        assert read(await line.taken()) == (job_id, dispatch)
    assert quote(name, safe="") == name


async def _sent_twice(line: Line, job_id: str) -> bool:
    await line.relay.turn()
    return bool((await line.dispatch(job_id)).published == 2)
