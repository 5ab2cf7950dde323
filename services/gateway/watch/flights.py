"""How do thousands of watches that start at once ask the store? Few at a time, and not twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar, cast

from gateway.domain.errors import StoreUnavailable

T = TypeVar("T")

# Reads for watches under way at the store, of the whole gateway.
READS_AT_ONCE = 64
# Seconds that a read waits for its turn. The caller is then told to come again.
LONGEST_WAIT = 20.0


class Flights:
    """Reads by what they ask. At most one of a kind is under way, and all who come meanwhile share
    the next: an answer was never asked for before the one who gets it came."""

    def __init__(self, at_once: int = READS_AT_ONCE, longest_wait: float = LONGEST_WAIT) -> None:
        self._permits = asyncio.Semaphore(at_once)
        self._longest_wait = longest_wait
        self._next: dict[Hashable, asyncio.Task[object]] = {}
        self._under_way: dict[Hashable, asyncio.Task[object]] = {}

    async def ask(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """The answer of *read*, or of the same one of another who asked by the same *key*.

        Raises what the read raises, and StoreUnavailable if its turn does not come.
        """
        flight = self._next.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, read, self._under_way.get(key)))
            self._next[key] = flight
        # One who leaves does not take the answer from the others.
        return cast("T", await asyncio.shield(flight))

    async def _fly(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[T]],
        earlier: asyncio.Task[object] | None,
    ) -> T:
        try:
            async with asyncio.timeout(self._longest_wait):
                if earlier is not None:
                    await asyncio.wait([earlier])
                await self._permits.acquire()
        except TimeoutError:
            raise StoreUnavailable from None
        finally:
            flight = self._next.pop(key)
        self._under_way[key] = flight
        try:
            return await read()
        finally:
            self._permits.release()
            if self._under_way.get(key) is flight:
                del self._under_way[key]
