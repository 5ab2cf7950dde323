"""A publisher with its loop, and its connection, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from jobqueue.publisher import Publisher
from servicekit.lifecycle import Background, Stop


@asynccontextmanager
async def publishing(amqp_url: str, **options: Any) -> AsyncIterator[Publisher]:
    """Yields once it is connected, as an event would not wait for that."""
    publisher, stop = Publisher(amqp_url, **options), Stop()
    async with Background(stop) as background:
        background.start("publisher", publisher.run(stop))
        async with asyncio.timeout(30):
            while not publisher.connected:
                await asyncio.sleep(0.01)
        yield publisher
