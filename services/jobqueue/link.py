"""How does one AMQP connection stay alive?

keep: connect ─▶ session(connection, lost) ─▶ lost or stop ─▶ close ─▶ wait ─▶ connect …

Each time to the next of the URLs that AMQP_URL names: the nodes of one cluster.

A plain connection and a loop of our own, for all three users. aio-pika's robust connection restores
what it remembers, in its own order and from callbacks: exclusive queues make it loop for minutes,
and a restored consumer belongs to a channel that nobody here has seen.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError, ChannelInvalidStateError
from yarl import URL

from servicekit.connect import backoff
from servicekit.lifecycle import Stop, cancel
from servicekit.settings import split_urls

log = structlog.get_logger()

Session = Callable[[AbstractConnection, asyncio.Event], Awaitable[None]]
Probe = Callable[[AbstractChannel, float], Awaitable[object]]

# What a lost or refusing broker looks like; ChannelInvalidStateError is a mere RuntimeError.
BROKER_ERRORS = (AMQPError, ChannelInvalidStateError, OSError, TimeoutError)

HEARTBEAT = 10  # a dead peer is noticed after three of them; at the default of 60, after 183 s
CONNECT_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 3.0
_PROBE_EVERY = 2.0
_LONGEST_PAUSE = 5.0
_GOOD_WHILE = 10.0


def cancelled_by_someone() -> bool:
    """False for the CancelledError that aiormq raises when its broker is stuck, although nobody
    cancelled the task: that one is a lost connection, and must not end a loop in silence."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def exchange_probe(name: str) -> Probe:
    async def probe(channel: AbstractChannel, timeout: float) -> object:
        return await channel.declare_exchange(name, passive=True, timeout=timeout)

    return probe


def queue_probe(name: str) -> Probe:
    async def probe(channel: AbstractChannel, timeout: float) -> object:
        return await channel.declare_queue(name, passive=True, timeout=timeout)

    return probe


class Link:
    """Keeps one connection, called *name* in the broker's list, and looks through it at *probe*
    every two seconds; no answer within *patience* seconds counts as lost.

    *url* may be several, separated by commas or spaces: after a loss, the next one is tried."""

    def __init__(self, url: str, name: str, probe: Probe, *, patience: float = 10.0) -> None:
        self._urls = itertools.cycle([_with_heartbeat(each) for each in split_urls(url)])
        self._name = name
        self._probe = probe
        self._patience = patience
        self._seen: float | None = None
        self._known = False  # there was a connection once

    @property
    def connected(self) -> bool:
        """True while a session runs; says nothing about the broker's state, see `check`."""
        return self._seen is not None

    async def check(self) -> None:
        """Raises ConnectionError unless the broker answered within the last few seconds."""
        if self._seen is None:
            raise ConnectionError("no connection to RabbitMQ")
        age = time.monotonic() - self._seen
        if age > 2.5 * _PROBE_EVERY:
            raise ConnectionError(f"RabbitMQ has not answered for {age:.0f} s")

    async def keep(self, session: Session, stop: Stop) -> None:
        """Runs *session* on one connection after another until *stop*.

        A session sets up, then returns when `lost` or *stop* is set. Errors of the broker are
        logged and lead to the next connection; any other error is raised.
        """
        pauses = backoff(longest=_LONGEST_PAUSE)
        while not stop.is_set():
            begin = time.monotonic()
            try:
                await self._once(session)
            except BROKER_ERRORS as error:
                say = log.warning if self._seen else log.info
                say(
                    "broker.lost" if self._seen else "broker.awaited",
                    link=self._name,
                    error=_words(error),
                )
            except asyncio.CancelledError:
                if cancelled_by_someone():
                    raise
                log.warning("broker.lost", link=self._name, error="stuck")
            if time.monotonic() - begin > _GOOD_WHILE:
                pauses = backoff(longest=_LONGEST_PAUSE)
            if not stop.is_set():
                await stop.wait(next(pauses))

    async def _once(self, session: Session) -> None:
        connection = await _open(next(self._urls), self._name)
        lost = asyncio.Event()
        connection.close_callbacks.add(lambda *_: lost.set())
        self._known = True
        self._seen = time.monotonic()
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self._look(connection, lost), name=f"{self._name}-probe"),
            asyncio.create_task(_run(session, connection, lost), name=f"{self._name}-session"),
        ]
        try:
            await tasks[1]
        finally:
            self._seen = None
            lost.set()
            await cancel(tasks)
            await close(connection)

    async def _look(self, connection: AbstractConnection, lost: asyncio.Event) -> None:
        """The watchdog: a flag "connected" proves nothing, an answer does."""
        try:
            channel: AbstractChannel | None = None
            while not lost.is_set():
                await asyncio.sleep(_PROBE_EVERY)
                if channel is None:
                    async with asyncio.timeout(self._patience):
                        with _lost_if_closed(connection):
                            channel = await connection.channel(publisher_confirms=False)
                await self._probe(channel, self._patience)
                self._seen = time.monotonic()
        except BROKER_ERRORS as error:
            log.warning("broker.unanswered", link=self._name, error=_words(error))
        finally:
            lost.set()


async def _run(session: Session, connection: AbstractConnection, lost: asyncio.Event) -> None:
    with _lost_if_closed(connection):
        await session(connection, lost)


@contextmanager
def _lost_if_closed(connection: AbstractConnection) -> Iterator[None]:
    """aiormq's answer to whoever opens a channel on a closed connection is a plain RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        transport = connection.transport
        closed = transport is None or transport.connection.is_closed
        if closed and type(error) is RuntimeError:
            raise ConnectionError(str(error)) from error
        raise


async def _open(url: str, name: str) -> AbstractConnection:
    return await aio_pika.connect(
        url, timeout=CONNECT_TIMEOUT, client_properties={"connection_name": name}
    )


async def close(connection: AbstractConnection) -> None:
    """Closes, for at most a few seconds: a frozen broker never answers, and aio-pika waits on."""
    closing = asyncio.create_task(_run_close(connection))
    await asyncio.wait({closing}, timeout=_CLOSE_TIMEOUT)
    await cancel([closing])


async def _run_close(connection: AbstractConnection) -> None:
    with suppress(*BROKER_ERRORS):
        await connection.close()


def watch(channel: AbstractChannel, lost: asyncio.Event) -> None:
    """Sets *lost* when *channel* closes: the broker closes one for an error and keeps the rest."""
    channel.close_callbacks.add(lambda *_: lost.set())


async def first_of(*events: asyncio.Event | Stop, timeout: float | None = None) -> None:
    """Returns when any of *events* is set, or after *timeout* seconds."""
    if any(event.is_set() for event in events):
        await asyncio.sleep(0)  # a loop around this must not shut out everyone else
        return
    waits: set[asyncio.Task[Any]] = {asyncio.create_task(_set(event)) for event in events}
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _set(event: asyncio.Event | Stop) -> None:
    await event.wait()


def _with_heartbeat(url: str) -> str:
    parsed = URL(url)
    if "heartbeat" in parsed.query:
        return url
    return str(parsed.update_query(heartbeat=HEARTBEAT))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
