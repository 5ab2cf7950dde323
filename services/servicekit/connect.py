"""How does a process wait for something that is not up yet?"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from servicekit.lifecycle import ProcessFailed, Stop, cancel

T = TypeVar("T")

log = structlog.get_logger()


class GaveUp(ProcessFailed):
    """Something could not be reached in time; __cause__ is the last error."""


class Stopped(ProcessFailed):
    """The process was asked to stop while it waited."""


def backoff(first: float = 0.1, longest: float = 5.0) -> Iterator[float]:
    """Endless seconds to wait: doubling from *first* to *longest*, each ±25 %.

    The jitter keeps many processes from coming back in step after a broker's or database's restart.
    """
    delay = first
    while True:
        yield delay * random.uniform(0.75, 1.25)
        delay = min(delay * 2, longest)


async def retrying(
    what: str,
    attempt: Callable[[], Awaitable[T]],
    *,
    give_up_after: float,
    stop: Stop | None = None,
    retry_on: tuple[type[Exception], ...] = (OSError, TimeoutError),
) -> T:
    """Calls *attempt* until it succeeds, at growing intervals, for *give_up_after* seconds.

    Raises GaveUp, Stopped (once *stop* is set, also within an attempt), or an error that is not
    one of *retry_on*.
    """
    deadline = time.monotonic() + give_up_after
    expected: tuple[type[Exception], ...] = (TimeoutError, *retry_on)
    for number, delay in enumerate(backoff(), start=1):
        try:
            return await _unless_stopped(what, attempt, deadline - time.monotonic(), stop)
        except expected as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise GaveUp(
                    f"Could not reach {what} within {give_up_after:g} s: {_words(error)}"
                ) from error
            wait = min(delay, left)
            log.warning(
                "connect.retried",
                what=what,
                attempt=number,
                error=_words(error),
                wait_seconds=round(wait, 2),
            )
            if stop is None:
                await asyncio.sleep(wait)
            elif await stop.wait(wait):
                raise Stopped(f"Stopped while waiting for {what}.") from error
    raise AssertionError("unreachable: backoff never ends")


async def _unless_stopped(
    what: str, attempt: Callable[[], Awaitable[T]], timeout: float, stop: Stop | None
) -> T:
    """One attempt, which a half-dead peer can not hold beyond the deadline, nor beyond *stop*."""
    async with asyncio.timeout(max(timeout, 0.05)):
        if stop is None:
            return await attempt()
        trying = asyncio.create_task(_awaited(attempt))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({trying, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not trying.done():
                raise Stopped(f"Stopped while waiting for {what}.")
            return trying.result()
        finally:
            await cancel((stopping, trying))
            if not trying.cancelled():
                # An error that met the end of the wait is told as that, and not once more.
                trying.exception()


async def _awaited(attempt: Callable[[], Awaitable[T]]) -> T:
    return await attempt()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
