"""How does a message surely reach the broker?

In: a body from the store's relay. Out: a confirm, or PublishFailed with the reason; never silence.
A failed publish may have arrived nevertheless (its confirm was lost): whoever takes it must be able
to meet it twice. Nothing is replayed here; the relay's row is what comes again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable
from typing import Literal

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractConnection, AbstractExchange
from aiormq.exceptions import ChannelClosed, DeliveryError, PublishError

from jobqueue.declaring import RPC_TIMEOUT, declare
from jobqueue.link import BROKER_ERRORS, Link, cancelled_by_someone, exchange_probe, first_of, watch
from jobqueue.topology import (
    DEAD,
    EVENTS,
    JOBS,
    RETRY,
    TOPOLOGY,
    WEBHOOK,
    WEBHOOKS,
    WEBHOOKS_RETRY,
    Level,
    retry_key,
    work_key,
)
from servicekit import failpoints
from servicekit.lifecycle import Stop

log = structlog.get_logger()

PROTOBUF = "application/x-protobuf"
_DECLARE_AGAIN_AFTER = 5.0
_HINT_TIMEOUT = 1.0
# Of the event loop, until a message has gone from its queue to the socket.
_TURNS = 10

Reason = Literal["unroutable", "refused", "timeout", "disconnected"]


class PublishFailed(Exception):
    """The broker did not confirm.

    `reason`: unroutable (no queue is bound), refused (queue full, or no quorum), timeout, or
    disconnected. After the last two the message may have arrived all the same.
    """

    def __init__(self, reason: Reason, target: str) -> None:
        super().__init__(f"Publishing to {target} failed: {reason}.")
        self.reason: Reason = reason


class Publisher:
    """Publishes with confirms on a connection of its own, which `run` keeps.

        background.start("publisher", publisher.run(quiet))
        await publisher.publish_work("default", body, message_id)

    Each publish ends within *timeout* seconds, the wait for a connection or for one of
    *max_outstanding* places included; more than about 100 gain nothing. An event waits for no
    connection, and for a second at the most.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 5.0,
        max_outstanding: int = 100,
        name: str = "publisher",
    ) -> None:
        # No shorter patience than the heartbeat's: under a memory alarm the broker stops reading
        # from publishers, and a new connection would fare no better.
        self._link = Link(url, name, exchange_probe(JOBS.name), patience=30.0)
        self._timeout = timeout
        self._places = asyncio.Semaphore(max_outstanding)
        self._exchanges: dict[str, AbstractExchange] = {}
        self._ready = asyncio.Event()
        self._torn = asyncio.Event()
        self._stop = Stop()

    async def run(self, stop: Stop) -> None:
        """Keeps the connection until *stop*, which is to be set when nobody publishes any more."""
        self._stop = stop
        await self._link.keep(self._session, stop)

    @property
    def connected(self) -> bool:
        return self._ready.is_set()

    async def check(self) -> None:
        """Raises unless the broker answered lately. For Health."""
        await self._link.check()

    async def publish_work(
        self, job_class: str, body: bytes, message_id: str, *, content_type: str = PROTOBUF
    ) -> None:
        """To the work queue of *job_class*, now. *message_id* is the caller's, for the log."""
        key = work_key(job_class)
        await self._publish(
            "publish_work", JOBS.name, key, body, message_id, content_type, mandatory=True
        )

    async def publish_retry(
        self,
        level: Level,
        job_class: str,
        body: bytes,
        message_id: str,
        *,
        content_type: str = PROTOBUF,
    ) -> None:
        """To the work queue of *job_class*, after *level*'s delay."""
        key = retry_key(level, job_class)
        await self._publish(
            "publish_retry", RETRY.name, key, body, message_id, content_type, mandatory=True
        )

    async def publish_dead(
        self, body: bytes, message_id: str, *, content_type: str = PROTOBUF
    ) -> None:
        """To the parking lot: a job that was given up."""
        await self._publish(
            "publish_dead", DEAD.name, "", body, message_id, content_type, mandatory=True
        )

    async def publish_webhook(self, body: bytes, message_id: str) -> None:
        """To the work queue of webhook deliveries, now."""
        key = work_key(WEBHOOK)
        await self._publish(
            "publish_webhook", WEBHOOKS.name, key, body, message_id, PROTOBUF, mandatory=True
        )

    async def publish_webhook_retry(self, level: Level, body: bytes, message_id: str) -> None:
        """To the work queue of webhook deliveries, after *level*'s delay."""
        await self._publish(
            "publish_webhook_retry", WEBHOOKS_RETRY.name, retry_key(level, WEBHOOK), body,
            message_id, PROTOBUF, mandatory=True,
        )  # fmt: skip

    async def publish_event(
        self, routing_key: str, body: bytes, *, content_type: str = PROTOBUF
    ) -> None:
        """To whoever listens now; nobody listening is fine. A hint, so not kept on disk, and not
        worth waiting for: without a connection it fails at once."""
        await self._publish(
            "publish_event", EVENTS.name, routing_key, body, "", content_type, mandatory=False
        )

    async def _publish(
        self,
        step: str,
        exchange: str,
        key: str,
        body: bytes,
        message_id: str,
        content_type: str,
        *,
        mandatory: bool,
    ) -> None:
        # A message is always new: headers of another (x-death above all) would get it dropped. The
        # AMQP id is unique per publish, as the client matches returned messages by it.
        message = Message(
            body,
            content_type=content_type,
            delivery_mode=DeliveryMode.PERSISTENT if mandatory else DeliveryMode.NOT_PERSISTENT,
            message_id=secrets.token_hex(12),
            correlation_id=message_id or None,
        )
        target = f"{exchange} with key {key!r}"
        if not (mandatory or self.connected):
            raise PublishFailed("disconnected", target)
        timeout = self._timeout if mandatory else min(self._timeout, _HINT_TIMEOUT)
        try:
            async with asyncio.timeout(timeout), self._places:
                await self._ready.wait()
                live = self._exchanges[exchange]
                with failpoints.around(step):
                    sent = live.publish(message, routing_key=key, mandatory=mandatory)
                    await (_watched(step, sent) if failpoints.armed() else sent)
        except PublishError as error:
            self._torn.set()
            raise PublishFailed("unroutable", target) from error
        except DeliveryError as error:
            raise PublishFailed("refused", target) from error
        except TimeoutError as error:
            raise PublishFailed("timeout" if self.connected else "disconnected", target) from error
        except (*BROKER_ERRORS, KeyError) as error:
            raise PublishFailed("disconnected", target) from error
        except asyncio.CancelledError as error:
            if cancelled_by_someone():
                raise
            raise PublishFailed("disconnected", target) from error

    async def _session(self, connection: AbstractConnection, lost: asyncio.Event) -> None:
        await declare(connection)
        async with asyncio.timeout(RPC_TIMEOUT):
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        watch(channel, lost)
        self._exchanges = {
            exchange.name: await channel.get_exchange(exchange.name, ensure=False)
            for exchange in TOPOLOGY.exchanges
        }
        self._ready.set()
        try:
            while not (lost.is_set() or self._stop.is_set()):
                await first_of(lost, self._stop, self._torn)
                if self._torn.is_set():
                    await self._mend(connection, lost)
        finally:
            self._ready.clear()
            self._exchanges = {}

    async def _mend(self, connection: AbstractConnection, lost: asyncio.Event) -> None:
        """Somebody deleted a queue or a binding: declare everything again, at most now and then."""
        self._torn.clear()
        begin = time.monotonic()
        try:
            await declare(connection)
        except ChannelClosed as error:
            log.error("topology.refused", error=str(error))
        else:
            log.info("topology.redeclared", seconds=round(time.monotonic() - begin, 3))
        await first_of(lost, self._stop, timeout=_DECLARE_AGAIN_AFTER)
        self._torn.clear()


async def _watched(step: str, sent: Awaitable[object]) -> None:
    """The publish, with a failpoint where its bytes have left and its confirm is awaited."""
    confirmed = asyncio.ensure_future(sent)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    failpoints.during(step)
    await confirmed
