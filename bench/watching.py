"""How long from a change's commit to the watcher's message?

From the update_time in the message, which Postgres's clock gave just before the commit, to the
moment when the watcher has the message: the commit itself is counted too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bench.load import channel, run
from bench.requests import submit_request
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import generation_service_pb2_grpc as pb2_grpc

_LONGEST_WATCH = 30.0
_PAUSE = 0.05


def commit_to_message(address: str, watchers: int, seconds: float) -> Sequence[float]:
    """The delays, in seconds, of all updates: each watcher submits a job, watches it, and again."""

    async def load() -> Sequence[float]:
        delays: list[float] = []
        end = time.monotonic() + seconds
        async with channel(address) as opened:
            stub = pb2_grpc.GenerationServiceStub(opened)

            async def watcher() -> None:
                while time.monotonic() < end:
                    answer = await stub.SubmitJob(submit_request())
                    delays.extend(await _watch(stub, answer.job.job_id))
                    await asyncio.sleep(_PAUSE)

            async with asyncio.TaskGroup() as group:
                for _ in range(watchers):
                    group.create_task(watcher())
        return delays

    return run(load())


async def _watch(stub: pb2_grpc.GenerationServiceStub, job_id: str) -> list[float]:
    delays = []
    request = pb2.WatchJobRequest(job_id=job_id)
    stream = stub.WatchJob(request, timeout=_LONGEST_WATCH)
    async for event in stream:
        # A snapshot tells what was there before the watch.
        if event.HasField("update"):
            changed = event.update.update_time
            delays.append(time.time() - changed.seconds - changed.nanos / 1e9)
    return delays
