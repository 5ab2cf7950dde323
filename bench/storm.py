"""How long until thousands of streams are live again when their gateway is started anew?

gRPC's own client this time, since what it is told is what counts. Every stream goes on where it
was, as the documentation tells callers to: after UNAVAILABLE, with a back-off.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import grpc

from bench.fan_out import Addresses
from bench.leased import Workers
from bench.load import channel, run
from bench.requests import submit_request
from mediagen.retries import Backoff
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub

_CHANNELS = 8
_LONGEST = 120.0
_POLL = 0.02
_STREAM = 600.0  # seconds: no call is without a deadline


class Storm(NamedTuple):
    """What a restart did to the streams."""

    begin: float  #: time.time(), before it
    end: float  #: when all were live again
    away: float  #: seconds in which none was live
    settled: float  #: seconds from the first that was live again to the last
    ends: dict[str, int]  #: ends of streams, and refusals of new ones, by code

    @property
    def unexpected(self) -> int:
        """Ends that are not of the restart itself."""
        return sum(self.ends.values()) - self.ends.get("UNAVAILABLE", 0)


class Fleet:
    """Half of *many* streams follow one job, half all jobs, over a few channels.

    *on_revision* is given the number of a stream and the revision of that job that it was sent.
    """

    def __init__(
        self,
        address: str,
        job_id: str,
        many: int,
        on_revision: Callable[[int, int], None] = lambda *_: None,
    ) -> None:
        self._channels = [channel(address) for _ in range(_CHANNELS)]
        self._stubs: list[Any] = [GenerationServiceStub(each) for each in self._channels]
        self._job_id = job_id
        self._many = many
        self._on_revision = on_revision
        self.live: set[int] = set()
        self.ends: Counter[str] = Counter()

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._many):
                    follow = self._job if number % 2 else self._jobs
                    group.create_task(follow(number))
        finally:
            for each in self._channels:
                await each.close()

    async def _job(self, number: int) -> None:
        last = 0

        def request(stub: Any) -> Any:
            asked = pb2.WatchJobRequest(job_id=self._job_id, after_revision=last)
            return stub.WatchJob(asked, timeout=_STREAM)

        def take(event: pb2.WatchJobResponse) -> bool:
            nonlocal last
            if revision := event.snapshot.revision or event.update.revision:
                self._on_revision(number, revision)
                last = revision
            return True

        await self._follow(number, request, take, lambda: last > 0)

    async def _jobs(self, number: int) -> None:
        cursor = ""

        def request(stub: Any) -> Any:
            return stub.WatchJobs(pb2.WatchJobsRequest(cursor=cursor), timeout=_STREAM)

        def take(event: pb2.WatchJobsResponse) -> bool:
            nonlocal cursor
            told = event.snapshot if event.HasField("snapshot") else event.update
            if told.job_id == self._job_id:
                self._on_revision(number, told.revision)
            cursor = event.cursor or cursor
            return bool(cursor)

        await self._follow(number, request, take, lambda: bool(cursor))

    async def _follow(
        self,
        number: int,
        request: Callable[[Any], Any],
        take: Callable[[Any], bool],
        resumes: Callable[[], bool],
    ) -> None:
        """A stream that resumes is live once it is accepted; one that begins, with its state."""
        backoff, failures = Backoff(), 0
        while True:
            call = request(self._stubs[number % _CHANNELS])
            try:
                if resumes():
                    await call.initial_metadata()
                    if not call.done():  # as it is when the call was refused
                        self.live.add(number)
                async for event in call:
                    if take(event):
                        self.live.add(number)
                        failures = 0
                code = await call.code()
            except grpc.aio.AioRpcError as error:
                code = error.code()
            self._ended(number, code)
            failures += 1
            await asyncio.sleep(backoff.delay(failures))

    def _ended(self, number: int, code: grpc.StatusCode) -> None:
        self.ends[code.name] += 1
        self.live.discard(number)

    async def until(self, many: int) -> None:
        """Waits until so many are live."""
        async with asyncio.timeout(_LONGEST):
            while len(self.live) < many:
                await asyncio.sleep(_POLL)

    async def until_ended(self, many: int) -> None:
        """Waits until so many have ended."""
        async with asyncio.timeout(_LONGEST):
            while self.ends.total() < many:
                await asyncio.sleep(_POLL)


def ride(to: Addresses, streams: int, gateway_pid: int, number: signal.Signals) -> Storm:
    """Opens *streams*, sends the gateway the signal that ends it, and waits until all are live on
    the next one, which its supervisor starts."""

    async def load() -> Storm:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(channel(to.gateway))
            await GenerationServiceStub(opened).SubmitJob(submit_request())
            workers = Workers(await stack.enter_async_context(channel(to.store)), 1)
            (held,) = await workers.hold(to.database, 1)
            fleet = Fleet(to.gateway, held.job_id, streams)
            running = asyncio.create_task(fleet.run())
            try:
                await fleet.until(streams)
                fleet.ends.clear()
                begin = time.time()
                os.kill(gateway_pid, number)
                return await _settled(fleet, begin, streams)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    return run(load())


async def _settled(fleet: Fleet, begin: float, streams: int) -> Storm:
    await fleet.until_ended(streams)
    gone = time.time()
    await fleet.until(1)
    back = time.time()
    await fleet.until(streams)
    end = time.time()
    return Storm(begin=begin, end=end, away=back - gone, settled=end - back, ends=dict(fleet.ends))
