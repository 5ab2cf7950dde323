"""Does a delivery that is due reach the notifiers, whatever happens to broker, relay and claims?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import aio_pika
import pytest
import sqlalchemy as sa
from aio_pika.abc import AbstractChannel

from jobqueue.declaring import declare
from jobqueue.publisher import Publisher
from jobqueue.topology import WEBHOOK_QUEUE
from mediagen.notifier.v1.messages_pb2 import DeliveryMessage
from mediagen.store.v1 import delivery_ledger_service_pb2 as db
from store.adapters import webhook_tables as w
from store.adapters.database import CLOCK
from store.adapters.wakeups import Wakeups
from store.loops.webhook_relay import WebhookRelay

from .publishing import publishing
from .webhook_bench import Webhooks, webhook_bench

Told = tuple[str, int]


@dataclass
class Line:
    """A bench whose relay publishes to a real broker, and the notifier's end of it."""

    hooks: Webhooks
    relay: WebhookRelay
    publisher: Publisher
    channel: AbstractChannel

    async def taken(self, within: float = 8) -> Told:
        """The next message, acknowledged."""
        queue = await self.channel.get_queue(WEBHOOK_QUEUE, ensure=False)
        deadline = time.monotonic() + within
        while (message := await queue.get(fail=False)) is None:
            assert time.monotonic() < deadline, f"nothing came within {within} s"
            await asyncio.sleep(0.02)
        await message.ack()
        body = DeliveryMessage.FromString(message.body)
        return body.delivery_id, body.dispatch

    async def is_empty(self) -> bool:
        """Nothing comes for a while."""
        await asyncio.sleep(0.3)
        queue = await self.channel.get_queue(WEBHOOK_QUEUE, ensure=False)
        return await queue.get(fail=False) is None

    async def made(self) -> str:
        """A delivery that is due."""
        await self.hooks.canceled()
        return (await self.hooks.deliveries())[0].delivery_id

    async def due_now(self, delivery_id: str) -> None:
        """The time to publish it again has come."""
        row = w.webhook_deliveries.c
        async with self.hooks.store.database.transaction() as connection:
            await connection.execute(
                sa.update(w.webhook_deliveries)
                .where(row.delivery_id == UUID(delivery_id))
                .values(available_at=CLOCK, relay_until=None)
            )


@pytest.fixture
async def line(database_url: str, amqp_url: str) -> AsyncIterator[Line]:
    async with (
        webhook_bench(database_url) as hooks,
        publishing(amqp_url, timeout=3) as publisher,
        await aio_pika.connect(amqp_url) as connection,
    ):
        await declare(connection)
        await hooks.create()
        relay = WebhookRelay(hooks.store.database, publisher, Wakeups())
        yield Line(hooks, relay, publisher, await connection.channel())


async def test_a_delivery_is_published_once_and_its_row_moved_on(line: Line) -> None:
    """The confirm does not end it: only its claim's outcome does."""
    key = await line.made()
    for _ in range(3):
        await line.relay.turn()
    assert await line.taken() == (key, 1)
    assert await line.is_empty()
    again = await line.hooks.column(key, "available_at") - line.hooks.store.database.now()
    assert timedelta(seconds=50) < again <= timedelta(seconds=60)


async def test_a_message_that_is_lost_is_published_again(line: Line) -> None:
    """Also one that was claimed by a notifier that died: its claim runs out, and that is all."""
    key = await line.made()
    await line.relay.turn()
    assert await line.taken() == (key, 1)
    await line.due_now(key)
    await line.relay.turn()
    assert await line.taken() == (key, 1)
    assert not (await line.hooks.claim(key)).refused
    await line.relay.turn()
    assert await line.is_empty()
    await line.hooks.age(timedelta(minutes=1))
    await line.relay.turn()
    assert await line.taken() == (key, 1)
    assert not (await line.hooks.claim(key)).refused


async def test_a_claim_that_overtakes_the_confirm_is_not_undone(line: Line) -> None:
    """The relay moves on what it has published, and nothing that was claimed since."""
    key = await line.made()
    turn = asyncio.create_task(line.relay.turn())
    assert await line.taken() == (key, 1)
    await line.hooks.post(key)
    await turn
    assert await line.hooks.column(key, "available_at") is None


async def test_a_retry_goes_through_its_queue_and_is_never_early(line: Line) -> None:
    """5 s after the first failure, at the least."""
    key = await line.made()
    await line.relay.turn()
    await line.taken()
    begin = time.monotonic()
    await line.hooks.post(key, db.DELIVERY_ERROR_CONNECTION)
    while await line.hooks.column(key, "published") == 0:
        await line.relay.turn()
        await asyncio.sleep(0.05)
    assert await line.taken(within=15) == (key, 2)
    assert time.monotonic() - begin >= 5


async def test_two_relays_at_once_publish_each_delivery_once(line: Line) -> None:
    """A row in one's hand is passed over by the other."""
    made = [await line.made() for _ in range(10)]
    other = WebhookRelay(line.hooks.store.database, line.publisher, Wakeups())
    await asyncio.gather(*(relay.turn() for relay in (line.relay, other) * 3))
    assert {(await line.taken())[0] for _ in made} == {
        each.delivery_id for each in await line.hooks.deliveries()
    }
    assert await line.is_empty()


async def test_what_the_broker_does_not_take_is_put_back(line: Line) -> None:
    """And sent when its queue is there again."""
    key = await line.made()
    await line.channel.queue_delete(WEBHOOK_QUEUE)
    await line.relay.turn()
    assert await line.hooks.column(key, "published") == 0
    deadline = time.monotonic() + 20
    while await line.hooks.column(key, "published") == 0:
        assert time.monotonic() < deadline
        await line.due_now(key)
        await line.relay.turn()
        await asyncio.sleep(0.1)
    assert await line.taken() == (key, 1)


async def test_nothing_is_published_of_a_paused_endpoint(line: Line) -> None:
    """Until it is resumed, and then within seconds."""
    key = await line.made()
    endpoint = (await line.hooks.delivery(key)).endpoint_id
    await line.hooks.pause(endpoint)
    await line.relay.turn()
    assert await line.is_empty()
    await line.hooks.resume(endpoint)
    while await line.hooks.column(key, "published") == 0:
        await line.relay.turn()
        await asyncio.sleep(0.1)
    assert await line.taken() == (key, 1)
