"""How is a load made? Clients that call as soon as they are answered, in a process of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import grpc
import uvloop

from bench.figures import Samples

Call = Callable[[], Awaitable[object]]
T = TypeVar("T")

WARM_UP = 0.3
_LONGEST_CALL = 30.0


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs *main* on the kind of event loop that the services have."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def drive(clients: Sequence[Call], seconds: float) -> Samples:
    """Each of *clients* calls again and again for *seconds*. The first error ends the load.

    Calls that begin in the warm-up before are made and not counted.
    """
    begin = time.perf_counter() + WARM_UP
    end = begin + seconds
    latencies: list[float] = []
    cpu = 0.0

    async def client(call: Call) -> None:
        while (sent := time.perf_counter()) < end:
            async with asyncio.timeout(_LONGEST_CALL):
                await call()
            if sent >= begin:
                latencies.append(time.perf_counter() - sent)

    async def cpu_after_warm_up() -> None:
        nonlocal cpu
        await asyncio.sleep(WARM_UP)
        cpu = time.process_time()

    async with asyncio.TaskGroup() as group:
        group.create_task(cpu_after_warm_up())
        for call in clients:
            group.create_task(client(call))
    wall = time.perf_counter() - begin
    return Samples(wall, latencies, (time.process_time() - cpu) / wall)


def channel(address: str) -> grpc.aio.Channel:
    """A connection of its own: channels to one address share one otherwise."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    return grpc.aio.insecure_channel(address, options=options)
