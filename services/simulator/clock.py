"""What time is it for the simulator?

Every status is computed from a plan and `now()`; nothing sleeps in the background to move a
prediction on. `WallClock` follows the machine (timestamps must agree with the caller's clock, who
searches lists by creation time); `ManualClock` moves only when a test says so.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the epoch, and waiting for a moment of it."""

    def now(self) -> float:
        """The time now, rounded to a microsecond so that printed and kept times compare equal."""
        ...

    async def sleep_until(self, moment: float, wake: asyncio.Event | None = None) -> None:
        """Return at `moment`, or earlier when `wake` is set."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> float:
        return round(time.time(), 6)

    async def sleep_until(self, moment: float, wake: asyncio.Event | None = None) -> None:
        pause = moment - self.now()
        if pause <= 0:
            return
        if wake is None:
            await asyncio.sleep(pause)
            return
        try:
            async with asyncio.timeout(None if pause == float("inf") else pause):
                await wake.wait()
        except TimeoutError:
            return


class ManualClock:
    """A clock for tests: it stands still until `advance`."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self._now = start
        self._moved = asyncio.Event()

    def now(self) -> float:
        return round(self._now, 6)

    async def advance(self, seconds: float) -> None:
        """Move on, then let everything that waited for a moment in between do its part."""
        self._now += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        for _ in range(10):
            await asyncio.sleep(0)

    async def sleep_until(self, moment: float, wake: asyncio.Event | None = None) -> None:
        while self._now < moment and not (wake and wake.is_set()):
            waits = [asyncio.ensure_future(self._moved.wait())]
            if wake is not None:
                waits.append(asyncio.ensure_future(wake.wait()))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
