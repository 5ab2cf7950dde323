"""How long until one event is on many streams, of a bare server and of a gateway?

From the moment the server has it: for the gateway, when the broker's hint comes to a listener
beside it. The event is a real one: a job that changes in the store.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Self

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from bench import raw_fan_out
from bench.figures import percentile
from bench.leased import Held, Workers
from bench.load import channel, run
from bench.memory import cpu_seconds, resident_kib
from bench.requests import submit_request
from bench.stream_client import Streams
from jobqueue.topology import EVENTS
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub

WATCH_JOB = "/mediagen.v1.GenerationService/WatchJob"
WATCH_JOBS = "/mediagen.v1.GenerationService/WatchJobs"
_SIZE = 210  # bytes of an update of WatchJobs
_LONGEST = 30.0
_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of a stack."""

    gateway: str
    store: str
    database: str
    broker: str


@dataclass(slots=True)
class Reached:
    """How long each message of each event took, in seconds, and what that cost the server."""

    latencies: list[float] = field(default_factory=list)
    begin: float = 0.0  #: time.time(), before the first event that counts
    end: float = 0.0
    cpu: float = 0.0  #: seconds
    resident_kib: int = 0  #: with all streams open, after the last event

    @property
    def cpu_per_message(self) -> float:
        """Seconds."""
        return self.cpu / len(self.latencies) if self.latencies else math.nan

    def percentile(self, percent: float) -> float:
        return percentile(self.latencies, percent)


@dataclass
class _Round:
    """The arrivals of one event."""

    streams: int
    came: list[float] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, now: float) -> None:
        self.came.append(now)
        if len(self.came) == self.streams:
            self.done.set()


def of_bare_server(address: str, pid: int, streams: int, events: int) -> Reached:
    """Messages as long as a gateway's."""

    async def load() -> Reached:
        opened = await Streams.open(address, raw_fan_out.WATCH, [b""] * streams)
        told: list[float] = []

        async with channel(address) as line:
            tell = line.unary_unary(raw_fan_out.TELL)

            async def make() -> None:
                await tell(bytes(_SIZE))

            def read(message: bytes) -> bool:
                if not told:
                    told.append(raw_fan_out.told_at(message))
                return True

            async def when() -> float:
                return told.pop()

            try:
                return await _measure(opened, pid, streams, events, make, read, when)
            finally:
                opened.close()

    return run(load())


def of_gateway(to: Addresses, pid: int, path: str, streams: int, events: int) -> Reached:
    """Updates of one job to *streams* of *path*, which is WATCH_JOB or WATCH_JOBS."""

    async def load() -> Reached:
        async with AsyncExitStack() as stack:
            workers = Workers(await stack.enter_async_context(channel(to.store)), 1)
            (held,) = await _one_job(to, workers)
            heard: asyncio.Queue[float] = asyncio.Queue()
            ear = Ear(to.broker, lambda _, now: heard.put_nowait(now))
            await stack.enter_async_context(ear)
            requests, ready, is_update = _kind(path, held.job_id)
            opened = await Streams.open(to.gateway, path, requests * streams, ready)
            stack.callback(opened.close)

            async def make() -> None:
                while not heard.empty():
                    heard.get_nowait()
                await workers.change([held])

            return await _measure(opened, pid, streams, events, make, is_update, heard.get)

    return run(load())


async def _measure(
    opened: Streams,
    pid: int,
    streams: int,
    events: int,
    make: Callable[[], Awaitable[None]],
    counts: Callable[[bytes], bool],
    when: Callable[[], Awaitable[float]],
) -> Reached:
    found, cpu = Reached(), 0.0
    for number in range(events + 1):
        if number == 1:  # the first event warmed up
            found = Reached(begin=time.time())
            cpu = cpu_seconds(pid)
        this = _Round(streams)

        def take(_: int, message: bytes, now: float, this: _Round = this) -> None:
            if counts(message):
                this.take(now)

        opened.on_message = take
        await make()
        await _all(this, opened)
        begin = await when()
        found.latencies += [at - begin for at in this.came]
        await asyncio.sleep(_PAUSE)
    found.cpu = cpu_seconds(pid) - cpu
    found.end = time.time()
    found.resident_kib = resident_kib(pid)
    return found


async def _all(this: _Round, opened: Streams) -> None:
    async with asyncio.timeout(_LONGEST):
        while not this.done.is_set():
            opened.check()
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await this.done.wait()


class Ear:
    """Hears the hints that gateways hear: *on_hint* is given each body, and time.time()."""

    def __init__(self, url: str, on_hint: Callable[[bytes, float], None]) -> None:
        self._url = url
        self._on_hint = on_hint

    async def __aenter__(self) -> Self:
        self._connection = await aio_pika.connect(self._url)
        opened = await self._connection.channel(publisher_confirms=False)
        queue = await opened.declare_queue(exclusive=True, auto_delete=True)
        await queue.bind(EVENTS.name, "tenant.#")

        async def heard(message: AbstractIncomingMessage) -> None:
            self._on_hint(message.body, time.time())

        await queue.consume(heard, no_ack=True)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connection.close()


async def _one_job(to: Addresses, workers: Workers) -> list[Held]:
    async with channel(to.gateway) as opened:
        await GenerationServiceStub(opened).SubmitJob(submit_request())
    return await workers.hold(to.database, 1)


def _kind(
    path: str, job_id: str
) -> tuple[list[bytes], Callable[[bytes], bool], Callable[[bytes], bool]]:
    """The request, whether a message says that the stream is live, and whether it is an update."""
    if path == WATCH_JOB:
        asked = pb2.WatchJobRequest(job_id=job_id).SerializeToString()
        answer = pb2.WatchJobResponse
        return [asked], lambda _: True, lambda m: answer.FromString(m).HasField("update")
    several = pb2.WatchJobsResponse
    return (
        [pb2.WatchJobsRequest().SerializeToString()],
        lambda m: several.FromString(m).HasField("synced"),
        lambda m: several.FromString(m).HasField("update"),
    )
