"""How does a job that killed its workers run alone? The others leave first, and none comes.

    quarantined delivery ─▶ pause the default consumer ─▶ its jobs end, or after a while are handed
    back with their calls running ─▶ run it ─▶ resume, for as long as that took, or a minute
A worker that can not be emptied in time puts the delivery back: another may be idle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from generator.worker.leases import Leases
from jobqueue.delivery import Delivery
from servicekit.lifecycle import Stop

log = structlog.get_logger()

Handle = Callable[[Delivery], Awaitable[None]]

_LOOK = 0.1
_LONGEST_REST = 60.0


class Consumer(Protocol):
    """What is paused: a WorkConsumer."""

    @property
    def running(self) -> int: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Quarantine:
    """Two handlers, of which `alone` never runs beside another."""

    def __init__(
        self,
        handle: Handle,
        leases: Leases,
        stop: Stop,
        *,
        patience: float = 60.0,
        last_patience: float = 30.0,
    ) -> None:
        """*patience*: seconds until the others' jobs are handed back; *last_patience*: for that."""
        self._handle = handle
        self._leases = leases
        self._stop = stop
        self._patience = patience
        self._last_patience = last_patience
        self._others: Consumer | None = None
        self._closed = False
        self._rest_until = 0.0

    def pauses(self, others: Consumer) -> None:
        """To be told before the first delivery: the consumer that feeds `beside`."""
        self._others = others

    async def beside(self, delivery: Delivery) -> None:
        """For the default class."""
        if self._closed:
            # It was on its way when the consumer was paused.
            await delivery.nack()
        else:
            await self._handle(delivery)

    async def alone(self, delivery: Delivery) -> None:
        """For the quarantine class, one at a time."""
        assert self._others is not None
        await self._stop.wait(max(0.0, self._rest_until - time.monotonic()))
        began = time.monotonic()
        self._closed = True
        self._others.pause()
        try:
            if await self._emptied(self._others):
                log.info("quarantine.entered")
                await self._handle(delivery)
            else:
                log.warning("quarantine.not_entered", others=self._others.running)
                await delivery.nack()
        finally:
            now = time.monotonic()
            self._rest_until = now + min(now - began, _LONGEST_REST)
            self._closed = False
            self._others.resume()

    async def _emptied(self, others: Consumer) -> bool:
        if await self._none(others, self._patience):
            return True
        if not self._stop.is_set():
            log.info("quarantine.hands_back", jobs=others.running)
            self._leases.hand_back()
        return await self._none(others, self._last_patience)

    async def _none(self, others: Consumer, patience: float) -> bool:
        """Whether no other handler is left within *patience*; False at once when draining."""
        end = time.monotonic() + patience
        while others.running and time.monotonic() < end and not self._stop.is_set():
            await asyncio.sleep(_LOOK)
        return not others.running and not self._stop.is_set()
