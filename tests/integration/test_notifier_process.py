"""`python -m notifier` with a real RabbitMQ: what it takes, what it tells the store, how it drains.

The store is a fake ledger; what the real one makes of it is its own tests' matter.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import grpc
import pytest

from jobqueue.topology import WEBHOOK_QUEUE, WEBHOOKS_DEAD
from mediagen.notifier.v1.messages_pb2 import DeliveryMessage
from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from tests.fakes.delivery_ledger import FakeDeliveryLedger, running_delivery_ledger
from tests.receivers import OK, receiver, says

from .publishing import publishing


class Setup:
    """The world around a notifier process."""

    def __init__(self, ledger: FakeDeliveryLedger, store: str, amqp: str, folder: Path) -> None:
        self.ledger, self.amqp, self.log = ledger, amqp, folder / "notifier.log"
        self._env = {
            **os.environ,
            "PYTHONPATH": "client:services:.",
            "STORE_ADDRESS": store,
            "AMQP_URL": amqp,
            "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "NOTIFIER_CONCURRENCY": "16",
        }

    @asynccontextmanager
    async def process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        with self.log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "notifier", env=self._env, stderr=sink
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def publish(self, *delivery_ids: str) -> None:
        async with publishing(self.amqp) as publisher:
            for each in delivery_ids:
                body = DeliveryMessage(delivery_id=each, dispatch=1).SerializeToString()
                await publisher.publish_webhook(body, each)

    async def left(self, queue: str) -> int:
        """How many messages the broker has in *queue*, those in hand not counted."""
        async with await aio_pika.connect(self.amqp) as connection, connection.channel() as channel:
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0


@pytest.fixture
async def setup(amqp_url: str, tmp_path: Path) -> AsyncIterator[Setup]:
    async with running_delivery_ledger() as (ledger, store):
        yield Setup(ledger, store, amqp_url, tmp_path)


async def until(true: Callable[[], object], within: float = 30.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.05)


async def test_what_is_published_is_posted_recorded_and_done_with(setup: Setup) -> None:
    """One record for each; what nobody knows, and what was posted before, is acked and forgotten;
    what can not be read is parked. None of it comes again."""
    busy = says("HTTP/1.1 503 Busy\nRetry-After: 7\nContent-Length: 0\n\n")
    async with receiver() as there, receiver(busy) as elsewhere, setup.process():
        setup.ledger.add("taken", f"{there.url}/a")
        setup.ledger.add("busy", elsewhere.url)
        setup.ledger.add("inside", "https://127.0.0.3/")
        await setup.publish("taken", "busy", "inside", "taken", "unknown")
        async with publishing(setup.amqp) as publisher:
            await publisher.publish_webhook(b"\xff", "unreadable")
        await until(
            lambda: len(setup.ledger.records) == 3 and setup.ledger.calls.count("claim") == 5
        )
        async with asyncio.timeout(30):
            while await setup.left(WEBHOOKS_DEAD.name) != 1:
                await asyncio.sleep(0.1)
    assert await setup.left(WEBHOOK_QUEUE) == 0
    taken, refused, inside = (setup.ledger.records[each] for each in ("taken", "busy", "inside"))
    assert (taken.error, taken.status_code, taken.message) == (0, 200, "")
    assert 0 < taken.duration.ToTimedelta().total_seconds() < 15
    assert (refused.error, refused.status_code) == (pb.DELIVERY_ERROR_STATUS, 503)
    assert refused.retry_after.ToTimedelta().total_seconds() == 7
    assert inside.error == pb.DELIVERY_ERROR_FORBIDDEN and "127.0.0.3" not in inside.message
    assert len(there.requests) == 1
    assert "127.0.0.3" not in setup.log.read_text()


async def test_a_store_that_is_away_for_a_moment_is_asked_again(setup: Setup) -> None:
    """With the same claim, and with the same record: neither is lost."""
    setup.ledger.fail += [grpc.StatusCode.UNAVAILABLE]
    async with receiver() as there, setup.process():
        setup.ledger.add("one", there.url)
        await setup.publish("one")
        await until(lambda: there.requests)
        await until(lambda: setup.ledger.records)
        setup.ledger.fail += [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL]
        setup.ledger.add("two", there.url)
        await setup.publish("two")
        await until(lambda: len(setup.ledger.records) == 2)
    assert len(there.requests) == 2


async def test_sigterm_lets_posts_end_and_takes_nothing_new(setup: Setup) -> None:
    """What is on its way is recorded; what is still in the queue is another's."""
    release = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await OK(writer)

    async with receiver(slow) as there, setup.process() as process:
        setup.ledger.add("before", there.url)
        await setup.publish("before")
        await until(lambda: there.requests)
        process.send_signal(signal.SIGTERM)
        await until(lambda: "process.stopping" in setup.log.read_text())
        await asyncio.sleep(1)
        setup.ledger.add("after", there.url)
        await setup.publish("after")
        assert process.returncode is None
        release.set()
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert set(setup.ledger.records) == {"before"}
    assert setup.ledger.records["before"].status_code == 200
    assert await setup.left(WEBHOOK_QUEUE) == 1
