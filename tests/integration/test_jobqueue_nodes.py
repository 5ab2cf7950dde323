"""AMQP_URL names several nodes of one cluster: does every link find one that answers?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jobqueue.consumer import Slots, WorkConsumer
from jobqueue.delivery import Delivery
from jobqueue.events import EventSubscriber
from jobqueue.topology import work_queue
from servicekit.lifecycle import Stop

from .publishing import publishing

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"  # pragma: allowlist secret


@asynccontextmanager
async def running(part: Any) -> AsyncIterator[None]:
    stop = Stop()
    task = asyncio.create_task(part.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """The URL of a node that takes connections and says nothing, as a frozen one does."""
    server = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"amqp://guest:guest@127.0.0.1:{port}/"  # pragma: allowlist secret
    finally:
        server.close()


@pytest.mark.parametrize("separator", [",", " ", ", "])
async def test_a_dead_node_is_passed_over(amqp_url: str, separator: str) -> None:
    """Relay, worker and hub alike: what one publishes, the others hear."""
    urls = separator.join([NOWHERE, amqp_url, NOWHERE])
    handed: list[bytes] = []
    heard: list[bytes] = []

    async def handle(delivery: Delivery) -> None:
        await delivery.ack()
        handed.append(delivery.body)

    async def on_event(body: bytes) -> None:
        heard.append(body)

    async def on_resync() -> None:
        heard.append(b"resync")

    consumer = WorkConsumer(urls, work_queue("default"), handle, Slots(1))
    events = EventSubscriber(urls, "gateway-1", on_event=on_event, on_resync=on_resync)
    async with running(consumer), running(events), publishing(urls) as publisher:
        async with asyncio.timeout(20):
            while heard != [b"resync"]:
                await asyncio.sleep(0.02)
            await publisher.publish_work("default", b"1", "d1")
            await publisher.publish_event("tenant.a", b"2")
            while (handed, heard) != ([b"1"], [b"resync", b"2"]):
                await asyncio.sleep(0.02)


async def test_a_node_that_hangs_is_passed_over_too(amqp_url: str) -> None:
    """After as long as a connection may take, not after a minute of heartbeats."""
    async with hanging() as url, publishing(f"{url},{amqp_url}") as publisher:
        await publisher.publish_work("default", b"1", "d1")
