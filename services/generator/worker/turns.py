"""When may a job ask for its permit? In the order of coming; a few at once, or one by one.

A few ask at once for as long as each gets its permit. One that is told to wait for the account's
rate waits for all: the others do not ask before it has its permit, since they would only be told
the same. So a worker has one asker where the rate is used up, as the store expects it of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from generator.worker.task import Task

FEW = 8


class Turn:
    """One job's turn. Ends with `Turns.of`."""

    def __init__(self, first: asyncio.Lock, ends: AsyncExitStack) -> None:
        self._first = first
        self._ends = ends
        self._is_first = False

    async def is_first(self, task: Task) -> bool:
        """Waits to be the one that waits for the rate. False if others have had their permits
        meanwhile, so that what was told before is of the past."""
        at_once = self._is_first or not self._first.locked()
        if not self._is_first:
            await self._ends.enter_async_context(_holding(self._first, task))
            self._is_first = True
        return at_once


class Turns:
    """The worker's jobs that want a permit."""

    def __init__(self) -> None:
        self._few = asyncio.Semaphore(FEW)
        self._first = asyncio.Lock()

    @asynccontextmanager
    async def of(self, task: Task) -> AsyncIterator[Turn]:
        """The job's turn. One that is to end does not wait for it: its asking ends it."""
        async with AsyncExitStack() as ends:
            await ends.enter_async_context(_holding(self._few, task))
            turn = Turn(self._first, ends)
            if self._first.locked():
                await turn.is_first(task)
            yield turn


@asynccontextmanager
async def _holding(lock: asyncio.Lock | asyncio.Semaphore, task: Task) -> AsyncIterator[None]:
    """With *lock*, or without it once the job is to end."""
    taking = asyncio.create_task(lock.acquire())
    taking.add_done_callback(lambda _: task.lease.told_wake())
    try:
        while not (taking.done() or task.must_cancel):
            await task.lease.sleep(max(task.time_left, 0.0) + 0.01)
        yield
    finally:
        if not taking.cancel():  # it was taken
            lock.release()
