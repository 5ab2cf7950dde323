"""What survives when connections are cut, and the broker freezes or dies?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from signal import SIGCONT, SIGSTOP
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from aio_pika.abc import AbstractConnection

from devstack.testing import Broker
from jobqueue.consumer import Slots, WorkConsumer
from jobqueue.delivery import Delivery
from jobqueue.events import EventSubscriber
from jobqueue.link import Link, first_of, queue_probe
from jobqueue.publisher import Publisher, PublishFailed
from jobqueue.topology import LADDER, work_queue
from servicekit.lifecycle import Stop

from .publishing import publishing

QUEUE = work_queue("default")


async def until(condition: Callable[[], bool], within: float = 20) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + within, "not within the time"
        await asyncio.sleep(0.02)
    return time.monotonic() - begin


@asynccontextmanager
async def running(part: Any) -> AsyncIterator[None]:
    stop = Stop()
    task = asyncio.create_task(part.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def cut(broker: Broker, amqp_url: str, name: str) -> None:
    """Closes the test's own connections called *name*, as an operator would.

    The broker goes on listing those of the test before for a while; to close one of them is no cut.
    """
    vhost = unquote(urlsplit(amqp_url).path.removeprefix("/"))

    def close() -> int:
        found = [
            each["name"]
            for each in broker.request("GET", "/connections")
            if (each.get("user_provided_name"), each.get("vhost")) == (name, vhost)
        ]
        for each in found:
            broker.request("DELETE", f"/connections/{quote(each, safe='')}")
        return len(found)

    deadline = time.monotonic() + 15
    while not await asyncio.to_thread(close):
        assert time.monotonic() < deadline, f"no connection {name!r}"
        await asyncio.sleep(0.2)


async def publish_in_the_end(publisher: Publisher, body: bytes) -> list[str]:
    """As the store's relay does: again until confirmed. The reasons on the way."""
    reasons: list[str] = []
    for _ in range(200):
        try:
            await publisher.publish_work("default", body, "d")
        except PublishFailed as error:
            reasons.append(error.reason)
            await asyncio.sleep(0.1)
        else:
            return reasons
    raise AssertionError(reasons)


async def test_a_cut_connection_cancels_no_handler_and_consuming_goes_on(
    broker: Broker, amqp_url: str
) -> None:
    """In aio-pika a handler dies with its channel: a paid call would be cut off in its middle."""
    go, handed, acks = asyncio.Event(), [], []

    async def handle(delivery: Delivery) -> None:
        handed.append(delivery.body)
        if len(handed) == 1:
            await go.wait()
        acks.append(await delivery.ack())

    consumer = WorkConsumer(amqp_url, QUEUE, handle, Slots(4))
    async with publishing(amqp_url) as publisher, running(consumer):
        await publisher.publish_work("default", b"1", "d1")
        await until(lambda: len(handed) == 1)
        await cut(broker, amqp_url, f"consumer of {QUEUE}")
        await until(lambda: len(handed) == 2)
        assert consumer.running == 1
        go.set()
        await until(lambda: len(acks) == 2)
        await publisher.publish_work("default", b"2", "d2")
        await until(lambda: len(handed) == 3)
    assert handed == [b"1", b"1", b"2"]
    assert sorted(acks) == [False, True, True] or acks.count(False) == 1


async def test_a_connection_that_closes_under_a_session_is_a_lost_one(amqp_url: str) -> None:
    """A channel opened on it then is a plain RuntimeError in aiormq, which must end no loop."""
    stop, sessions = Stop(), 0

    async def session(connection: AbstractConnection, lost: asyncio.Event) -> None:
        nonlocal sessions
        sessions += 1
        if sessions == 1:
            assert connection.transport is not None
            await connection.transport.connection.close()
            await connection.channel()
        stop.set()
        await first_of(lost, stop)

    await Link(amqp_url, "closing", queue_probe(QUEUE)).keep(session, stop)
    assert sessions == 2


async def test_an_error_that_is_not_the_brokers_ends_the_loop(amqp_url: str) -> None:
    """A connection that is open explains no RuntimeError; whoever started the loop must hear it."""

    async def session(connection: AbstractConnection, lost: asyncio.Event) -> None:
        raise RuntimeError("a mistake of ours")

    with pytest.raises(RuntimeError, match="ours"):
        await Link(amqp_url, "mistaken", queue_probe(QUEUE)).keep(session, Stop())


async def test_a_cut_publisher_connects_again(broker: Broker, amqp_url: str) -> None:
    """Pending publishes fail by name, later ones are confirmed."""
    async with publishing(amqp_url, name="cut me") as publisher:
        await publisher.publish_work("default", b"1", "d1")
        await cut(broker, amqp_url, "cut me")
        await publish_in_the_end(publisher, b"2")


async def test_events_come_again_within_seconds_of_a_cut(broker: Broker, amqp_url: str) -> None:
    """A fresh exclusive queue each time; the same name would be locked for a while."""
    heard: list[bytes] = []

    async def on_event(body: bytes) -> None:
        heard.append(body)

    async def on_resync() -> None:
        heard.append(b"resync")

    events = EventSubscriber(amqp_url, "gateway-1", on_event=on_event, on_resync=on_resync)
    async with publishing(amqp_url) as publisher, running(events):
        await until(lambda: heard == [b"resync"])
        await publisher.publish_event("tenant.a.job.1", b"1")
        await until(lambda: heard == [b"resync", b"1"])
        await cut(broker, amqp_url, "events of gateway-1")
        took = await until(lambda: heard == [b"resync", b"1", b"resync"])
        assert took < 3
        await publisher.publish_event("tenant.a.job.1", b"2")
        await until(lambda: heard[-1] == b"2")


async def test_a_listener_that_fails_is_resynced(amqp_url: str) -> None:
    """A hint that was dropped is as good as a lost one."""
    heard: list[bytes] = []

    async def on_event(body: bytes) -> None:
        heard.append(body)
        if body == b"bad":
            raise ConnectionError("the store is down")

    async def on_resync() -> None:
        heard.append(b"resync")

    events = EventSubscriber(amqp_url, "gateway-1", on_event=on_event, on_resync=on_resync)
    async with publishing(amqp_url) as publisher, running(events):
        await until(lambda: heard == [b"resync"])
        await publisher.publish_event("a", b"bad")
        await publisher.publish_event("a", b"good")
        await until(lambda: heard == [b"resync", b"bad", b"resync", b"good"])


async def test_a_frozen_broker_fails_publishes_and_is_found_again(
    broker: Broker, amqp_url: str
) -> None:
    """aio-pika raises CancelledError here, which ends a careless loop without a word."""
    handed: list[bytes] = []

    async def handle(delivery: Delivery) -> None:
        await delivery.ack()
        handed.append(delivery.body)

    consumer = WorkConsumer(amqp_url, QUEUE, handle, Slots(4))
    async with publishing(amqp_url, timeout=1) as publisher, running(consumer):
        await publisher.publish_work("default", b"before", "d1")
        await until(lambda: handed == [b"before"])
        broker.supervised.send("rabbitmq", SIGSTOP)
        try:
            outcomes = await asyncio.gather(
                *(publisher.publish_work("default", b"frozen", "d2") for _ in range(5)),
                return_exceptions=True,
            )
            assert all(isinstance(outcome, PublishFailed) for outcome in outcomes), outcomes
            await until(lambda: not consumer.connected)
            with pytest.raises(ConnectionError):
                await consumer.check()
            with pytest.raises(PublishFailed):
                await publisher.publish_work("default", b"frozen", "d3")
        finally:
            broker.supervised.send("rabbitmq", SIGCONT)
        await publish_in_the_end(publisher, b"after")
        await until(lambda: b"after" in handed, within=30)


@pytest.mark.timeout(300)
async def test_a_killed_broker_loses_no_work_and_no_retry(broker: Broker, amqp_url: str) -> None:
    """kill -9 with retries pending: all come, on time or later. What comes due before its work
    queue is up again is tried again every ten seconds (test_jobqueue_late_queue.py)."""
    handed: list[bytes] = []

    async def handle(delivery: Delivery) -> None:
        await delivery.ack()
        handed.append(delivery.body)

    consumer = WorkConsumer(amqp_url, QUEUE, handle, Slots(100))
    async with publishing(amqp_url) as publisher, running(consumer):
        await until(lambda: consumer.connected)
        await asyncio.gather(
            *(publisher.publish_retry(LADDER[2], "default", b"%d" % n, str(n)) for n in range(50))
        )
        await asyncio.to_thread(broker.supervised.kill, "rabbitmq")
        await asyncio.to_thread(broker.supervised.wait_ready, "rabbitmq")
        await publish_in_the_end(publisher, b"after")
        sent = {b"%d" % n for n in range(50)} | {b"after"}
        with suppress(AssertionError):
            await until(lambda: sent <= set(handed), within=120)
        assert sent <= set(handed), (sent - set(handed), consumer.connected, consumer.running)
        await consumer.check()
        await publisher.check()
