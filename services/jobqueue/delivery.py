"""What may a worker do with one message that it was handed? Settle it, once, without surprises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aio_pika.abc import AbstractIncomingMessage

from jobqueue.link import BROKER_ERRORS, cancelled_by_someone
from servicekit import failpoints

log = structlog.get_logger()

_SETTLE_TIMEOUT = 5.0


class Delivery:
    """One message, to be settled by `ack`, `nack` or `reject`. They never raise for a dead channel:
    they say False, and the broker hands the message out again."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self._message = message
        self.settled = False

    @property
    def body(self) -> bytes:
        return self._message.body

    @property
    def content_type(self) -> str:
        return self._message.content_type or ""

    @property
    def message_id(self) -> str:
        """The publisher's id for the log; the same again for a message that was published twice."""
        return self._message.correlation_id or ""

    @property
    def redelivered(self) -> bool:
        return bool(self._message.redelivered)

    @property
    def delivery_count(self) -> int:
        """How often it was handed out before. For a pause, never for counting attempts."""
        count = self._message.headers.get("x-delivery-count", 0)
        return count if isinstance(count, int) else 0

    async def ack(self) -> bool:
        """The message is done with."""
        return await self._settle("ack", self._message.ack)

    async def nack(self, *, requeue: bool = True) -> bool:
        """Back to the queue, at a delivery count; to `jobs.dead` without *requeue*."""
        return await self._settle("nack", lambda: self._message.nack(requeue=requeue))

    async def reject(self) -> bool:
        """To `jobs.dead`: a body that nobody can read."""
        return await self._settle("reject", lambda: self._message.reject(requeue=False))

    async def _settle(self, step: str, send: Callable[[], Awaitable[None]]) -> bool:
        if self.settled:
            return False
        self.settled = True
        try:
            async with asyncio.timeout(_SETTLE_TIMEOUT):
                with failpoints.around(step):
                    await send()
        except BROKER_ERRORS as error:
            words = f"{type(error).__name__}: {error}"
            log.info("delivery.unsettled", verb=step, message_id=self.message_id, error=words)
            return False
        except asyncio.CancelledError:
            if cancelled_by_someone():
                raise
            log.info("delivery.unsettled", verb=step, message_id=self.message_id, error="stuck")
            return False
        return True
