"""How does a gateway hear of changes?

connect ─▶ fresh exclusive queue ─▶ bind ─▶ consume ─▶ on_resync ─▶ on_event, on_event, …

What comes here is a hint: the listener compares numbers and reads the store where one is missing.
`on_resync` runs after each (re)connect and wherever hints may have been lost on the way.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from jobqueue.declaring import RPC_TIMEOUT, declare
from jobqueue.link import Link, exchange_probe, first_of, watch
from jobqueue.topology import EVENTS
from servicekit.connect import backoff
from servicekit.lifecycle import Stop

log = structlog.get_logger()

MAX_WAITING = 20_000


class EventSubscriber:
    """Calls `on_event(body)` in the order of arrival and `on_resync()` before the first of them.

    *instance* names this process in the broker's list of queues; *keys* are topic patterns.
    """

    def __init__(
        self,
        url: str,
        instance: str,
        *,
        on_event: Callable[[bytes], Awaitable[None]],
        on_resync: Callable[[], Awaitable[None]],
        keys: Sequence[str] = ("#",),
    ) -> None:
        self._link = Link(url, f"events of {instance}", exchange_probe(EVENTS.name))
        self._instance = instance
        self._on_event = on_event
        self._on_resync = on_resync
        self._keys = tuple(keys)
        self._stop = Stop()
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._must_resync = True

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def check(self) -> None:
        """Raises unless the broker answered lately. For Health."""
        await self._link.check()

    async def run(self, stop: Stop) -> None:
        """Listens until *stop*."""
        self._stop = stop
        await self._link.keep(self._session, stop)

    async def _session(self, connection: AbstractConnection, lost: asyncio.Event) -> None:
        await declare(connection)
        async with asyncio.timeout(RPC_TIMEOUT):
            channel = await connection.channel(publisher_confirms=False)
        watch(channel, lost)
        # A fresh name each time: the broker may still hold the last one for the dead connection.
        queue = await channel.declare_queue(
            f"gw.events.{self._instance}.{secrets.token_hex(6)}",
            exclusive=True,
            auto_delete=True,
            arguments={"x-max-length": MAX_WAITING, "x-overflow": "drop-head"},
            timeout=RPC_TIMEOUT,
        )
        for key in self._keys:
            await queue.bind(EVENTS.name, key, timeout=RPC_TIMEOUT)
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: lost.set())
        self._waiting.clear()
        self._must_resync = True
        await queue.consume(self._arrive, no_ack=True, timeout=RPC_TIMEOUT)
        while not (lost.is_set() or self._stop.is_set()):
            self._wake.clear()
            await self._hand_on(lost)
            await first_of(lost, self._stop, self._wake)

    async def _arrive(self, message: AbstractIncomingMessage) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            self._must_resync = True
        self._waiting.append(message.body)
        self._wake.set()

    async def _hand_on(self, lost: asyncio.Event) -> None:
        pauses = backoff(longest=2.0)
        while (self._must_resync or self._waiting) and not self._stop.is_set():
            try:
                if self._must_resync:
                    self._must_resync = False
                    await self._on_resync()
                elif self._waiting:
                    await self._on_event(self._waiting.popleft())
            except Exception:
                log.exception("events.listener_crashed", instance=self._instance)
                self._must_resync = True
                await first_of(lost, self._stop, timeout=next(pauses))
            if lost.is_set():
                return
