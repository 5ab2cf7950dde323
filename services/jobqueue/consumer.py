"""How does a worker take deliveries without sitting on them?

slots reserved ─▶ consuming ─▶ delivery ─▶ own task: handle(delivery), which claims, acks, works
      ▲                            │ no other slot is free: stop consuming, before the ack
      └────── handle returns ◀─────┘

A handler acks early, so the broker's prefetch does not bound what runs: the slots do. A delivery
is taken only when its slot is already ours, and a handler's task belongs to the worker, not to the
channel: a channel's death cancels none of them, it only makes their ack fail.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

from jobqueue.declaring import RPC_TIMEOUT, declare
from jobqueue.delivery import Delivery
from jobqueue.link import Link, first_of, queue_probe, watch
from servicekit.lifecycle import Stop, cancel

log = structlog.get_logger()

Handle = Callable[[Delivery], Awaitable[None]]

_LONGEST_PAUSE = 30.0


class Slots:
    """How many deliveries may be in work at once. A slot is held until its handler returns.

    Give each consumer its own: while it consumes, it holds back as many as its prefetch, which
    then do not count as free.
    """

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError(f"a consumer needs at least one slot, got {total}")
        self.total = total
        self.free = total
        self._waiting: set[asyncio.Event] = set()

    def take(self, count: int = 1) -> bool:
        """Takes *count* slots at once, or none."""
        if self.free < count:
            return False
        self.free -= count
        return True

    def release(self, count: int = 1) -> None:
        if count:
            self.free += count
            for event in self._waiting:
                event.set()

    def tell(self, event: asyncio.Event) -> None:
        """Sets *event* whenever a slot becomes free."""
        self._waiting.add(event)


class WorkConsumer:
    """Feeds *handle* from *queue*, a task and a slot for each delivery.

    *handle* must settle its delivery. One that ends without, or raises, has it put back after a
    pause; the 20th time RabbitMQ parks it in `jobs.dead`.
    """

    def __init__(
        self, url: str, queue: str, handle: Handle, slots: Slots, *, prefetch: int = 1
    ) -> None:
        self._link = Link(url, f"consumer of {queue}", queue_probe(queue))
        self._queue = queue
        self._handle = handle
        self._slots = slots
        # An unhandled delivery that is prefetched and lost counts towards its delivery limit.
        self._prefetch = min(prefetch, slots.total)
        self._wake = asyncio.Event()
        self._paused = False
        self._running: set[asyncio.Task[None]] = set()
        self._stop = Stop()
        self._deadline: float | None = None
        self._grace = 0.0
        slots.tell(self._wake)

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def running(self) -> int:
        """Handlers at work."""
        return len(self._running)

    async def check(self) -> None:
        """Raises unless the broker showed us the queue within the last seconds. For Health."""
        await self._link.check()

    def pause(self) -> None:
        """Takes no more deliveries until `resume`; handlers go on."""
        self._paused = True
        self._wake.set()

    def resume(self) -> None:
        self._paused = False
        self._wake.set()

    async def run(self, stop: Stop, *, grace: float = 30.0) -> None:
        """Consumes until *stop*. Then: stop consuming, put back what never started, wait up to
        *grace* seconds for handlers, cancel the rest, close the channel and the connection."""
        self._stop, self._grace = stop, grace
        try:
            await self._link.keep(self._session, stop)
            await self._drain()
        finally:
            await cancel(self._running)

    async def _session(self, connection: AbstractConnection, lost: asyncio.Event) -> None:
        await declare(connection)
        async with asyncio.timeout(RPC_TIMEOUT):
            channel = await connection.channel(publisher_confirms=False)
        watch(channel, lost)
        await channel.set_qos(prefetch_count=self._prefetch, timeout=RPC_TIMEOUT)
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: lost.set())  # the queue was deleted
        intake = _Intake(
            await channel.get_queue(self._queue, ensure=False), self._wake, self._slots
        )
        try:
            while not (lost.is_set() or self._stop.is_set()):
                self._wake.clear()
                await self._step(intake)
                await first_of(lost, self._stop, self._wake)
            if not lost.is_set():
                await intake.close()
                for message in intake.arrived:
                    await Delivery(message).nack()
                await self._drain()
        finally:
            self._slots.release(intake.reserved)

    async def _step(self, intake: _Intake) -> None:
        if self._paused:
            await intake.close()
        elif not intake.is_open and not intake.arrived:
            await intake.open(self._prefetch)
        while intake.arrived and (message := intake.next()) is not None:
            if self._slots.take():
                intake.reserved += 1
            else:
                await self._close_for(intake)
            self._begin(Delivery(message))
        if not intake.is_open and not intake.arrived:
            self._slots.release(intake.surrender())

    async def _close_for(self, intake: _Intake) -> None:
        """Before the last slot's handler acks: an ack makes the broker send the next message."""
        try:
            await intake.close()
        except BaseException:  # the connection is lost, and the delivery with it
            self._slots.release()
            raise

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._work(delivery), name=f"delivery {delivery.message_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _work(self, delivery: Delivery) -> None:
        try:
            await self._handle(delivery)
        except Exception:
            log.exception("delivery.crashed", message_id=delivery.message_id)
        finally:
            self._slots.release()
        if not delivery.settled:
            pause = min(0.5 * 2**delivery.delivery_count, _LONGEST_PAUSE)
            log.warning("delivery.put_back", message_id=delivery.message_id, pause_seconds=pause)
            await self._stop.wait(pause)
            await delivery.nack()

    async def _drain(self) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._grace
        if self._running:
            left = max(self._deadline - time.monotonic(), 0)
            _, late = await asyncio.wait(set(self._running), timeout=left)
            if late:
                log.warning("consumer.drain_ended_early", cancelled=len(late))
                await cancel(late)


@dataclass(slots=True)
class _Intake:
    """One session's consumer: deliveries that have arrived, and the slots reserved for more."""

    queue: AbstractQueue
    wake: asyncio.Event
    slots: Slots
    arrived: deque[AbstractIncomingMessage] = field(default_factory=deque)
    reserved: int = 0
    _tag: str | None = None

    @property
    def is_open(self) -> bool:
        return self._tag is not None

    async def open(self, prefetch: int) -> None:
        """Reserves a slot for every delivery that may come, or does nothing."""
        if not self.slots.take(prefetch):
            return
        self.reserved += prefetch
        self._tag = await self.queue.consume(self._arrive, timeout=RPC_TIMEOUT)

    async def close(self) -> None:
        if self._tag is not None:
            tag, self._tag = self._tag, None
            await self.queue.cancel(tag, timeout=RPC_TIMEOUT)

    def next(self) -> AbstractIncomingMessage | None:
        """The oldest arrival with its slot, or None if (against the odds) none is left."""
        if self.reserved:
            self.reserved -= 1
        elif not self.slots.take():
            return None
        return self.arrived.popleft()

    def surrender(self) -> int:
        """The slots that no delivery will use."""
        reserved, self.reserved = self.reserved, 0
        return reserved

    async def _arrive(self, message: AbstractIncomingMessage) -> None:
        self.arrived.append(message)
        self.wake.set()
