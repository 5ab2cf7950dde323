"""How many posts go to one host at once? A few; some more wait for a moment; the rest come later.

So a host that takes its 15 seconds for every answer holds a part of the slots, never all of them.
The more are sent away, the later they come again: a backlog for one host must not keep notifiers
and the store busy with claims that come to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

PATIENCE = 2.0
SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
_PAUSE_FOR_EACH = 0.125


class HostBusy(Exception):
    """It was not this delivery's turn in time; it may be in *pause* seconds."""

    def __init__(self, pause: float) -> None:
        super().__init__(f"{pause:g} s")
        self.pause = pause


@dataclass(slots=True)
class _Line:
    places: asyncio.Semaphore
    present: int = 0
    sent_away: int = 0

    def busy(self) -> HostBusy:
        pause = SHORTEST_PAUSE + _PAUSE_FOR_EACH * self.sent_away
        self.sent_away += 1
        return HostBusy(min(pause, LONGEST_PAUSE))


class Turns:
    """One line for each host that is being posted to."""

    def __init__(self, at_once: int, *, patience: float = PATIENCE) -> None:
        """*at_once* posts to a host, and as many again that wait *patience* seconds at most."""
        self._at_once = at_once
        self._patience = patience
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Within, it is the caller's turn to post to *host*. Raises HostBusy."""
        line = self._lines.setdefault(host, _Line(asyncio.Semaphore(self._at_once)))
        if line.present >= 2 * self._at_once:
            raise line.busy()
        line.present += 1
        try:
            await self._wait(line)
            try:
                yield
            finally:
                line.places.release()
                line.sent_away //= 2
        finally:
            line.present -= 1
            if not line.present:
                del self._lines[host]

    async def _wait(self, line: _Line) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await line.places.acquire()
        except TimeoutError:
            raise line.busy() from None
