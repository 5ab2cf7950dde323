"""When is a call that failed tried again, and after how long?

What is not safe to repeat comes here with no retries. Reads, cancels and submissions are: each of
these has a request_id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc

from mediagen import errors

T = TypeVar("T")

# A call of the last instant would fail by its deadline and hide the error that matters.
_SHORTEST_CALL = 0.05


@dataclass(frozen=True)
class Backoff:
    """Delays that double, cut to half at random so that clients do not come back together."""

    first: float = 0.2
    """Seconds before the first retry."""
    longest: float = 5.0
    """No delay is longer, in seconds."""

    def delay(self, attempt: int, randomness: float | None = None) -> float:
        """Seconds to wait after failed attempt number *attempt*, from 1."""
        full = min(self.longest, self.first * 2.0 ** min(attempt - 1, 32))
        share = random.random() if randomness is None else randomness
        return full * (0.5 + share / 2)


async def call(
    attempt: Callable[[float], Awaitable[T]], *, timeout: float, retries: int, backoff: Backoff
) -> T:
    """What *attempt* (given its seconds) answers, tried again while the server is unavailable.

    *timeout* is for all attempts and delays together.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + timeout
    tried = 0
    while True:
        tried += 1
        try:
            return await attempt(end - clock())
        except grpc.aio.AioRpcError as failure:
            error = errors.from_call(failure)
        delay = retry_delay(error, tried, backoff)
        late = delay is not None and clock() + delay + _SHORTEST_CALL > end
        if delay is None or late or tried > retries:
            raise error
        await asyncio.sleep(delay)


def retry_delay(error: errors.MediagenError, tried: int, backoff: Backoff) -> float | None:
    """Seconds until the next try of a refused call; None if another try would not help."""
    if isinstance(error, errors.TooManyRequests):
        return error.retry_delay  # without a time from the server, more calls make it worse
    if isinstance(error, errors.Unavailable):
        return max(error.retry_delay or 0.0, backoff.delay(tried))
    return None
