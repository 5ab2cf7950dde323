"""Settling a delivery, and counting slots, without a broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiormq.exceptions import AMQPConnectionError, ChannelInvalidStateError

from jobqueue.consumer import Slots
from jobqueue.delivery import Delivery


class Message(SimpleNamespace):
    """What aio-pika hands out, as far as a Delivery looks at it."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(
            body=b"x",
            correlation_id="d1",
            content_type="a/b",
            redelivered=False,
            headers={},
            error=error,
            calls=[],
        )

    async def _settle(self, *call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    async def ack(self) -> None:
        await self._settle("ack")

    async def nack(self, *, requeue: bool) -> None:
        await self._settle("nack", requeue)

    async def reject(self, *, requeue: bool) -> None:
        await self._settle("reject", requeue)


def delivery(message: Message) -> Delivery:
    return Delivery(cast(Any, message))


@pytest.mark.parametrize(
    "error",
    [
        ChannelInvalidStateError("closed"),
        AMQPConnectionError("gone"),
        ConnectionResetError(),
        TimeoutError(),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("verb", ["ack", "nack", "reject"])
async def test_settling_on_a_dead_channel_says_false(verb: str, error: BaseException) -> None:
    """Even by the CancelledError that aio-pika raises on its own: the message just comes again."""
    assert await getattr(delivery(Message(error)), verb)() is False


async def test_a_delivery_is_settled_once() -> None:
    """A second ack would close the channel for everyone."""
    message = Message()
    settled = delivery(message)
    assert await settled.ack() is True
    assert await settled.nack() is False
    assert message.calls == [("ack",)]


async def test_reject_does_not_requeue() -> None:
    """An unreadable body belongs in the parking lot."""
    message = Message()
    await delivery(message).reject()
    assert message.calls == [("reject", False)]


async def test_a_real_cancellation_goes_through() -> None:
    """Whoever cancels the task means it."""
    message = Message()
    message.ack = lambda: asyncio.sleep(60)
    task = asyncio.create_task(delivery(message).ack())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_slots_are_taken_all_or_none() -> None:
    """Two who each hold half of what both need would wait for ever."""
    slots, freed = Slots(3), asyncio.Event()
    slots.tell(freed)
    assert slots.take(2)
    assert not slots.take(2)
    assert slots.free == 1
    slots.release()
    assert freed.is_set()
    assert slots.take(2)
    assert slots.free == 0
    with pytest.raises(ValueError, match="at least one"):
        Slots(0)
