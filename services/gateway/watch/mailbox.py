"""What waits for one watcher, and what if it reads too slowly?"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum

from gateway.domain.errors import Draining
from mediagen.v1 import job_pb2


class Signal(Enum):
    """What a mailbox can hold in place of a job."""

    SILENCE = "nothing came in time"
    LOST = "something came that is not here: read the store"


class Mailbox:
    """Jobs in the order they came, at most *limit*; beyond that all of them are LOST at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._jobs: deque[job_pb2.Job] = deque()
        self._lost = False
        self._closed = False
        self._wake = asyncio.Event()

    def put(self, job: job_pb2.Job) -> None:
        """Adds *job*, which nobody may change from here on."""
        if self._lost:
            return
        if len(self._jobs) >= self._limit:
            self.lose()
            return
        self._jobs.append(job)
        self._wake.set()

    def lose(self) -> None:
        """Says that jobs did not come here, or not all of them."""
        self._jobs.clear()
        self._lost = True
        self._wake.set()

    def close(self) -> None:
        """Ends the watcher with Draining, at its next take."""
        self._closed = True
        self._wake.set()

    async def take(self, timeout: float) -> job_pb2.Job | Signal:
        """The next job, waiting at most *timeout* seconds. Raises Draining once closed."""
        if not (self._jobs or self._lost or self._closed):
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return Signal.SILENCE
        if self._closed:
            raise Draining
        if self._lost:
            # Cleared before the caller reads the store: what comes meanwhile is kept again.
            self._lost = False
            return Signal.LOST
        return self._jobs.popleft()
