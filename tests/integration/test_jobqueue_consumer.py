"""Does a worker take what it can do, and only that, from a real RabbitMQ?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from jobqueue.consumer import Slots, WorkConsumer
from jobqueue.declaring import declare
from jobqueue.delivery import Delivery
from jobqueue.topology import work_queue
from servicekit.lifecycle import Stop

from .publishing import publishing

QUEUE = work_queue("default")


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(amqp_url) as connection:
        await declare(connection)
        yield await connection.channel()


async def publish(amqp_url: str, count: int) -> None:
    async with publishing(amqp_url) as publisher:
        for n in range(count):
            await publisher.publish_work("default", b"%d" % n, str(n))


async def ready(channel: AbstractChannel, queue: str = QUEUE) -> int:
    """Messages that the broker holds and nobody has been handed."""
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float = 10) -> None:
    deadline = time.monotonic() + within
    while True:
        holds = condition()
        if holds is True or (not isinstance(holds, bool) and await holds):
            return
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.02)


class Worker:
    """Notes what it is handed, acks at once, works until it is let go."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.done: list[bytes] = []
        self.go = asyncio.Event()

    async def __call__(self, delivery: Delivery) -> None:
        self.bodies.append(delivery.body)
        await delivery.ack()
        await self.go.wait()
        self.done.append(delivery.body)


@asynccontextmanager
async def consuming(consumer: WorkConsumer, *, grace: float = 5) -> AsyncIterator[Stop]:
    stop = Stop()
    task = asyncio.create_task(consumer.run(stop, grace=grace))
    try:
        yield stop
    finally:
        stop.set()
        await task


@pytest.mark.parametrize("prefetch", [1, 2])
async def test_a_worker_without_a_free_slot_sits_on_nothing(
    amqp_url: str, channel: AbstractChannel, prefetch: int
) -> None:
    """What it can not start at once stays in the broker, for another worker to take."""
    worker = Worker()
    await publish(amqp_url, 8)
    async with consuming(WorkConsumer(amqp_url, QUEUE, worker, Slots(3), prefetch=prefetch)):
        await until(lambda: len(worker.bodies) >= 4 - prefetch)
        await asyncio.sleep(0.5)
        # With a prefetch of 2 and one slot left it does not ask, as two might come.
        assert len(worker.bodies) in ({3} if prefetch == 1 else {2, 3})
        assert await ready(channel) == 8 - len(worker.bodies)
        other = Worker()
        async with consuming(WorkConsumer(amqp_url, QUEUE, other, Slots(20))):
            await until(lambda: len(other.bodies) + len(worker.bodies) == 8)
            other.go.set()
        worker.go.set()
    assert sorted(worker.done + other.done) == [b"%d" % n for n in range(8)]


async def test_a_slot_that_becomes_free_is_used(amqp_url: str) -> None:
    """One slot, many jobs: one after the other, none lost, none twice."""
    worker = Worker()
    worker.go.set()
    slots = Slots(1)
    await publish(amqp_url, 30)
    async with consuming(WorkConsumer(amqp_url, QUEUE, worker, slots)):
        await until(lambda: len(worker.done) == 30)
    assert worker.done == [b"%d" % n for n in range(30)]
    assert slots.free == 1


async def test_a_handler_that_fails_gets_its_delivery_again(amqp_url: str) -> None:
    """After a pause: a store that is down must not use up the delivery limit."""
    seen: list[tuple[bytes, bool]] = []

    async def fails_once(delivery: Delivery) -> None:
        seen.append((delivery.body, delivery.redelivered))
        if len(seen) == 1:
            raise ConnectionError("the store is down")
        await delivery.ack()

    await publish(amqp_url, 1)
    begin = time.monotonic()
    async with consuming(WorkConsumer(amqp_url, QUEUE, fails_once, Slots(2))):
        await until(lambda: len(seen) == 2)
    assert seen == [(b"0", False), (b"0", True)]
    assert time.monotonic() - begin > 0.4


async def test_an_unreadable_body_is_parked(amqp_url: str, channel: AbstractChannel) -> None:
    """Rejected once, in the dead-letter queue for somebody to look at."""

    async def reject(delivery: Delivery) -> None:
        await delivery.reject()

    await publish(amqp_url, 1)

    async def parked() -> bool:
        return await ready(channel, "jobs.dead") == 1

    async with consuming(WorkConsumer(amqp_url, QUEUE, reject, Slots(2))):
        await until(parked)


async def test_a_pause_stops_the_intake_only(amqp_url: str, channel: AbstractChannel) -> None:
    """The account is out of money: what runs goes on, nothing new is taken."""
    worker = Worker()
    consumer = WorkConsumer(amqp_url, QUEUE, worker, Slots(5))
    async with consuming(consumer):
        await publish(amqp_url, 1)
        await until(lambda: len(worker.bodies) == 1)
        consumer.pause()
        await asyncio.sleep(0.2)
        await publish(amqp_url, 2)
        await asyncio.sleep(0.3)
        assert len(worker.bodies) == 1
        assert await ready(channel) == 2
        worker.go.set()
        await until(lambda: worker.done == [b"0"])
        consumer.resume()
        await until(lambda: len(worker.done) == 3)


async def test_stopping_finishes_what_runs_and_leaves_the_rest_untouched(
    amqp_url: str, channel: AbstractChannel
) -> None:
    """In flight is acknowledged; what never started is not even marked as redelivered."""
    acked: list[bool] = []

    async def slow(delivery: Delivery) -> None:
        await asyncio.sleep(0.5)
        acked.append(await delivery.ack())

    await publish(amqp_url, 6)
    consumer = WorkConsumer(amqp_url, QUEUE, slow, Slots(2))
    async with consuming(consumer):
        await until(lambda: consumer.running > 0)
    assert acked
    assert all(acked)
    left = await channel.get_queue(QUEUE)
    rest = [await left.get(timeout=5) for _ in range(6 - len(acked))]
    assert not any(message.redelivered for message in rest)
    assert await ready(channel) == 0


async def test_stopping_does_not_wait_beyond_its_grace(amqp_url: str) -> None:
    """A job that outlives the deadline is cancelled here and adopted elsewhere."""
    worker = Worker()
    await publish(amqp_url, 1)
    consumer = WorkConsumer(amqp_url, QUEUE, worker, Slots(2))
    async with consuming(consumer, grace=0.2):
        await until(lambda: consumer.running == 1)
        begin = time.monotonic()
    assert time.monotonic() - begin < 3
    assert worker.done == []
    assert consumer.running == 0


async def test_a_deleted_queue_is_made_again_and_consumed(
    amqp_url: str, channel: AbstractChannel
) -> None:
    """Somebody cleaned up by hand: a pause, not an end."""
    worker = Worker()
    worker.go.set()
    async with consuming(WorkConsumer(amqp_url, QUEUE, worker, Slots(5))):
        await publish(amqp_url, 1)
        await until(lambda: len(worker.done) == 1)
        await channel.queue_delete(QUEUE)
        await asyncio.sleep(0.3)
        await publish(amqp_url, 1)
        await until(lambda: len(worker.done) == 2)


async def test_health_is_an_answer_of_the_broker(amqp_url: str) -> None:
    """Connected and answered lately; without a broker it is an error."""
    consumer = WorkConsumer(amqp_url, QUEUE, Worker(), Slots(1))
    with pytest.raises(ConnectionError):
        await consumer.check()
    async with consuming(consumer):
        await until(lambda: consumer.connected)
        await asyncio.sleep(2.5)
        await consumer.check()
