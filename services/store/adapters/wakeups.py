"""What tells the loops that a commit left something for them.

In memory and in this process only: it saves the wait for the next poll, and nothing rests on it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Wakeups:
    """One event for each loop; for the numberer, also which tenants' jobs have changed."""

    admitter: asyncio.Event = field(default_factory=asyncio.Event)
    relay: asyncio.Event = field(default_factory=asyncio.Event)
    numberer: asyncio.Event = field(default_factory=asyncio.Event)
    webhooks: asyncio.Event = field(default_factory=asyncio.Event)
    _tenants: set[str] = field(default_factory=set)

    def changed(self, tenant: str) -> None:
        """A job of *tenant* has a new revision."""
        self._tenants.add(tenant)
        self.numberer.set()

    def take_changed(self) -> set[str]:
        """The tenants whose jobs have changed since this was asked last."""
        taken, self._tenants = self._tenants, set()
        return taken


async def until(event: asyncio.Event, poll: float) -> None:
    """Waits for *event* or *poll* seconds, and clears it."""
    try:
        async with asyncio.timeout(poll):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
