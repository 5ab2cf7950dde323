"""What tells the loops that a commit left something for them.

In memory and in this process only: it saves the wait for the next poll, and nothing rests on it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Wakeups:
    """One event for each loop."""

    admitter: asyncio.Event = field(default_factory=asyncio.Event)
    relay: asyncio.Event = field(default_factory=asyncio.Event)
    numberer: asyncio.Event = field(default_factory=asyncio.Event)


async def until(event: asyncio.Event, poll: float) -> None:
    """Waits for *event* or *poll* seconds, and clears it."""
    try:
        async with asyncio.timeout(poll):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
