"""How a loop of the store lives with a database that is away for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from servicekit.connect import backoff
from servicekit.lifecycle import Stop
from store.adapters.database import Unavailable
from store.adapters.wakeups import until

log = structlog.get_logger()


async def repeat(
    name: str,
    turn: Callable[[], Awaitable[bool]],
    stop: Stop,
    *,
    wakeup: asyncio.Event | None = None,
    poll: float,
    rest: float = 0.0,
) -> None:
    """Runs *turn* until *stop*: at once again if it returns True, else after a wake-up or *poll*.

    A turn that is woken begins *rest* seconds after the last one began, or at once if that is past:
    what many commits leave in a busy moment is done by one turn.

    A database that can not answer is waited for with growing pauses; any other error ends the loop,
    and with it the process.
    """
    event = wakeup or asyncio.Event()
    pauses = backoff(first=0.2, longest=5.0)
    while not stop.is_set():
        began = time.monotonic()
        try:
            more = await turn()
        except Unavailable:
            pause = next(pauses)
            log.warning("loop.database_away", loop=name, wait_seconds=round(pause, 2))
            await stop.wait(pause)
            continue
        pauses = backoff(first=0.2, longest=5.0)
        if not more:
            await _first(event, stop, poll)
            if (left := began + rest - time.monotonic()) > 0:
                await stop.wait(left)


async def _first(event: asyncio.Event, stop: Stop, poll: float) -> None:
    waiting = asyncio.ensure_future(until(event, poll))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiting, stopping):
            task.cancel()
        await asyncio.gather(waiting, stopping, return_exceptions=True)
