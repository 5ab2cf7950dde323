"""Who kills, and whom? kill -9, on a schedule, with a seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from devstack.testing import Stack
from soak.scale import Scale

_SERVERS = ("rabbitmq", "postgres")
_SERVICES = ("generator-", "store-", "gateway-", "edge")


class Chaos:
    """Kills parts of the stack, which its supervisor starts again. `kills` counts them.

    put_off: kills that were due while fewer than half of the services served, or while the server
    was still starting. Where a start takes longer than the time between kills, all would else be
    down for good.
    """

    def __init__(self, stack: Stack, scale: Scale, seed: str) -> None:
        self._stack = stack
        self._scale = scale
        self._chance = random.Random(f"chaos {seed}")
        self.services = [name for name in stack.names if name.startswith(_SERVICES)]
        self.kills: Counter[str] = Counter()
        self.put_off = 0

    async def run(self) -> None:
        """Until it is cancelled: a service every few seconds, and the servers in turn."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._services())
            for place, name in enumerate(_SERVERS):
                group.create_task(self._server(name, place / len(_SERVERS)))

    async def _services(self) -> None:
        while True:
            await asyncio.sleep(self._scale.kill_every)
            # One of those that serve: to kill what is only starting breaks nothing new.
            serving = [name for name in self.services if self._stack.is_ready(name)]
            if 2 * len(serving) < len(self.services):
                self.put_off += 1
            else:
                await self._kill(self._chance.choice(serving))

    async def _server(self, name: str, share: float) -> None:
        every = self._scale.servers_every
        await asyncio.sleep(every * (0.25 + share))
        while True:
            if self._stack.is_ready(name):
                await self._kill(name)
            else:
                self.put_off += 1
            await asyncio.sleep(every)

    async def _kill(self, name: str) -> None:
        self.kills[name] += 1
        await asyncio.to_thread(self._stack.kill, name)

    async def calm(self, seconds: float) -> None:
        """Wait until everything serves again, at most so long."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while clock() < end and not all(map(self._stack.is_ready, self._stack.names)):
            await asyncio.sleep(0.2)

    def restarts(self) -> dict[str, int]:
        """How often each part was started again, killed or not."""
        return {name: self._stack.starts(name) - 1 for name in self._stack.names}
