"""Does a message surely reach a real RabbitMQ, or its publisher hear why not?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from devstack.testing import Broker
from jobqueue.declaring import declare
from jobqueue.publisher import Publisher, PublishFailed
from jobqueue.topology import CLASSES, LADDER, TOPOLOGY, work_queue
from servicekit.lifecycle import Background, Stop

from .publishing import publishing

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(amqp_url) as connection:
        await declare(connection)
        yield await connection.channel()


async def taken(channel: AbstractChannel, queue: str, within: float = 5) -> AbstractIncomingMessage:
    """The next message of *queue*, acknowledged."""
    source = await channel.get_queue(queue)
    deadline = time.monotonic() + within
    while (message := await source.get(fail=False)) is None:
        assert time.monotonic() < deadline, f"nothing came to {queue} within {within} s"
        await asyncio.sleep(0.02)
    await message.ack()
    return message


async def test_declaring_twice_changes_nothing(amqp_url: str, channel: AbstractChannel) -> None:
    """Every process declares at every connect; all agree."""
    async with await aio_pika.connect(amqp_url) as connection:
        await asyncio.gather(declare(connection), declare(connection))
    for queue in TOPOLOGY.queues:
        assert (await channel.declare_queue(queue.name, passive=True)).name == queue.name


@pytest.mark.parametrize("job_class", CLASSES)
async def test_work_arrives_once_and_confirmed(
    amqp_url: str, channel: AbstractChannel, job_class: str
) -> None:
    """Persistent, with its content type, and no header that a broker could read."""
    async with publishing(amqp_url) as publisher:
        await publisher.publish_work(job_class, b"body", "dispatch-1")
        message = await taken(channel, work_queue(job_class))
    assert message.body == b"body"
    assert message.content_type == "application/x-protobuf"
    assert message.correlation_id == "dispatch-1"
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert not {key for key in message.headers if key.startswith("x-death")}


async def test_a_retry_waits_for_its_level_and_no_longer(
    amqp_url: str, channel: AbstractChannel
) -> None:
    """Two levels do not hold each other up."""
    async with publishing(amqp_url) as publisher:
        begin = time.monotonic()
        await publisher.publish_retry(LADDER[1], "default", b"late", "d2")
        await publisher.publish_retry(LADDER[0], "default", b"soon", "d1")
        first = await taken(channel, work_queue("default"))
        soon = time.monotonic() - begin
        second = await taken(channel, work_queue("default"))
        late = time.monotonic() - begin
    assert (first.body, second.body) == (b"soon", b"late")
    assert 0.9 <= soon < 2.0
    assert 1.9 <= late < 4.0


async def test_a_dead_letter_is_parked(amqp_url: str, channel: AbstractChannel) -> None:
    """The store gives up in the open."""
    async with publishing(amqp_url) as publisher:
        await publisher.publish_dead(b"given up", "d1")
        assert (await taken(channel, "jobs.dead")).body == b"given up"


async def test_an_event_without_listeners_is_fine(amqp_url: str) -> None:
    """A hint for whoever is there."""
    async with publishing(amqp_url) as publisher:
        await publisher.publish_event("tenant.default.job.1", b"hint")


async def test_an_unroutable_message_fails_and_the_topology_is_mended(
    amqp_url: str, channel: AbstractChannel
) -> None:
    """By default aio-pika returns as if it were delivered. A deleted queue comes back."""
    async with publishing(amqp_url) as publisher:
        await publisher.publish_work("default", b"1", "d1")
        await channel.queue_delete(work_queue("default"))
        reasons = []
        for _ in range(100):
            try:
                await publisher.publish_work("default", b"2", "d2")
                break
            except PublishFailed as error:
                reasons.append(error.reason)
                await asyncio.sleep(0.1)
        assert set(reasons) == {"unroutable"}
        assert (await taken(channel, work_queue("default"))).body == b"2"
        with pytest.raises(PublishFailed) as failed:
            await publisher.publish_work("no-such-class", b"x", "d3")
        assert failed.value.reason == "unroutable"
        await publisher.publish_work("default", b"3", "d4")


async def test_concurrent_publishes_with_one_callers_id_are_told_apart(amqp_url: str) -> None:
    """The client matches returned messages by their AMQP id, so that one is ours and unique."""
    async with publishing(amqp_url) as publisher:
        outcomes = await asyncio.gather(
            *(
                publisher.publish_work("default" if n % 2 else "nowhere", b"x", "same")
                for n in range(20)
            ),
            return_exceptions=True,
        )
    for n, outcome in enumerate(outcomes):
        if n % 2:
            assert outcome is None
        else:
            assert isinstance(outcome, PublishFailed)
            assert outcome.reason == "unroutable"


async def test_a_full_queue_refuses(
    broker: Broker, amqp_url: str, channel: AbstractChannel
) -> None:
    """reject-publish: what does not fit is the publisher's to keep."""
    vhost = amqp_url.rpartition("/")[2]
    policy = {"pattern": "^jobs.work.quarantine$", "definition": {"max-length": 1}}
    broker.request("PUT", f"/policies/{vhost}/full", {**policy, "apply-to": "queues"})
    async with publishing(amqp_url) as publisher:
        reasons = []
        for n in range(100):
            try:
                await publisher.publish_work("quarantine", b"x", str(n))
            except PublishFailed as error:
                reasons.append(error.reason)
                break
        assert reasons == ["refused"]
        await publisher.publish_work("default", b"x", "other queues go on")


async def test_many_at_once_are_all_confirmed(amqp_url: str, channel: AbstractChannel) -> None:
    """More than the places outstanding: the rest waits its turn."""
    async with publishing(amqp_url, timeout=20) as publisher:
        await asyncio.gather(
            *(publisher.publish_work("default", b"%d" % n, str(n)) for n in range(500))
        )
    queue: Any = await channel.declare_queue(work_queue("default"), passive=True)
    assert queue.declaration_result.message_count == 500


async def test_without_a_broker_a_publish_fails_in_time() -> None:
    """A publish waits for its timeout, leaving is quick."""
    publisher, stop, begin = Publisher(NOWHERE, timeout=0.3), Stop(), time.monotonic()
    async with Background(stop) as background:
        background.start("publisher", publisher.run(stop))
        with pytest.raises(PublishFailed) as failed:
            await publisher.publish_work("default", b"x", "d1")
        with pytest.raises(ConnectionError, match="no connection"):
            await publisher.check()
    assert failed.value.reason == "disconnected"
    assert time.monotonic() - begin < 3


async def test_without_a_broker_an_event_fails_at_once() -> None:
    """A hint is not worth a caller's time: whoever cancels a job waits for none."""
    begin = time.monotonic()
    with pytest.raises(PublishFailed) as failed:
        await Publisher(NOWHERE, timeout=30).publish_event("worker.w", b"x")
    assert failed.value.reason == "disconnected"
    assert time.monotonic() - begin < 0.1


async def test_an_event_waits_for_a_second_at_the_most(amqp_url: str) -> None:
    """Connected, but the broker confirms nothing: every place is taken."""
    async with publishing(amqp_url, timeout=30, max_outstanding=1) as publisher, publisher._places:
        begin = time.monotonic()
        with pytest.raises(PublishFailed) as failed:
            await publisher.publish_event("worker.w", b"x")
    assert failed.value.reason == "timeout"
    assert time.monotonic() - begin < 1.5


async def test_a_cancelled_publish_is_a_cancellation() -> None:
    """Ours stays ours; only aio-pika's own is turned into a failure."""
    task = asyncio.create_task(Publisher(NOWHERE, timeout=30).publish_work("default", b"x", "d1"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
