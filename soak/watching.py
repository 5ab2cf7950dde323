"""How is a job watched while what sends its revisions dies again and again?

With streams of our own, not those of the client: what is judged is what the service sends, and the
client would mend a skipped revision by itself. Each stream resumes behind the last revision seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Self, cast

import grpc
import httpx

from devstack.testing import Stack
from mediagen import connection
from mediagen.retries import Backoff
from mediagen.v1.generation_service_pb2 import WatchJobRequest
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from soak.sightings import Watch

if TYPE_CHECKING:
    from mediagen.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub

# The service breaks a silence every 15 s: what says nothing for longer is dead.
_SILENCE = 30.0
_WATCH = 3600.0


class Watchers:
    """Watches over both roads. Use with `async with`."""

    def __init__(self, stack: Stack) -> None:
        gateways = "ipv4:" + ",".join(stack.plan.gateway_addresses)
        edge = stack.edge_url.removeprefix("http://")
        self._channels = [
            connection.channel(address, tls=False, credentials=None) for address in (gateways, edge)
        ]
        self._stubs = [
            cast("GenerationServiceAsyncStub", GenerationServiceStub(channel))
            for channel in self._channels
        ]
        limits = httpx.Limits(max_connections=None)
        timeout = httpx.Timeout(10.0, read=_SILENCE)
        self._http = httpx.AsyncClient(
            base_url=stack.edge_url, timeout=timeout, limits=limits, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels:
            await channel.close()
        await self._http.aclose()

    async def follow(self, watch: Watch) -> None:
        """To the job's end, over as many streams as it takes; who calls bounds the time."""
        read = self._sse if watch.over_sse else self._grpc
        backoff, fruitless = Backoff(first=0.2, longest=4.0), 0
        while not watch.ended:
            watch.streams += 1
            before = len(watch.sightings)
            # Cut, the next stream goes on behind what was seen.
            with suppress(grpc.aio.AioRpcError, httpx.TransportError, TimeoutError):
                await read(watch)
            fruitless = fruitless + 1 if len(watch.sightings) == before else 1
            if not watch.ended:
                await asyncio.sleep(backoff.delay(fruitless))

    async def _grpc(self, watch: Watch) -> None:
        stub = self._stubs[watch.number % len(self._stubs)]
        request = WatchJobRequest(job_id=watch.job_id, after_revision=watch.last)
        call = stub.WatchJob(request, timeout=_WATCH)
        try:
            while True:
                async with asyncio.timeout(_SILENCE):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    return
                watch.take(message)
        finally:
            call.cancel()

    async def _sse(self, watch: Watch) -> None:
        headers = {"Last-Event-ID": str(watch.last)} if watch.last else {}
        url = f"/api/v1/jobs/{watch.job_id}:events"
        async with self._http.stream("GET", url, headers=headers) as answer:
            if answer.status_code != 200:
                return
            async with aclosing(_frames(answer)) as frames:
                async for frame in frames:
                    watch.take_frame(frame)
                    if watch.ended:
                        return


async def _frames(answer: httpx.Response) -> AsyncGenerator[dict[str, str], None]:
    """The frames that carry data: their fields by name."""
    frame: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            frame[name] = value
        elif not line:
            if "data" in frame:
                yield frame
            frame = {}
