"""How long from a commit to its watcher, with a thousand jobs that each have one?

From the update_time in the message, which Postgres's clock gave just before the commit, to the
moment when the watcher's connection has it. And how much of that was gone when the broker's hint
was out: the store's part.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from bench import finishing
from bench.fan_out import WATCH_JOB, Addresses, Ear
from bench.leased import Workers
from bench.load import channel, run
from bench.stream_client import Streams
from mediagen.store.v1.feed_pb2 import FeedBatch
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2

_WORKERS = 10
_WARM_UP = 2.0
_LAST_ONES = 1.0  # seconds for what is still on its way at the end


class Window(NamedTuple):
    """One round. Delays in seconds."""

    rate: float  #: events a second, as they were made
    to_hint: list[float]
    to_watcher: list[float]


@dataclass
class _Heard:
    """When what came, in the window that is open."""

    to_hint: list[float] = field(default_factory=list)
    to_watcher: list[float] = field(default_factory=list)

    def message(self, _: int, message: bytes, now: float) -> None:
        event = pb2.WatchJobResponse.FromString(message)
        if event.HasField("update"):
            self.to_watcher.append(now - _changed(event.update))

    def hint(self, body: bytes, now: float) -> None:
        for event in FeedBatch.FromString(body).events:
            self.to_hint.append(now - _changed(event.job))


def follow(to: Addresses, jobs: int, rate: float, seconds: float, windows: int) -> list[Window]:
    """*jobs* that change, *rate* of them a second, one watcher each; *windows* of *seconds*."""
    finishing.submit(to.gateway, _WORKERS, [None] * jobs)

    async def load() -> list[Window]:
        async with AsyncExitStack() as stack:
            workers = Workers(await stack.enter_async_context(channel(to.store)), _WORKERS)
            held = await workers.hold(to.database, jobs)
            requests = [
                pb2.WatchJobRequest(job_id=each.job_id).SerializeToString() for each in held
            ]
            opened = await Streams.open(to.gateway, WATCH_JOB, requests)
            stack.callback(opened.close)
            heard = _Heard()
            ear = Ear(to.broker, lambda body, now: heard.hint(body, now))
            await stack.enter_async_context(ear)
            opened.on_message = lambda number, message, now: heard.message(number, message, now)
            await workers.go_on(held, rate, _WARM_UP)
            found = []
            for _ in range(windows):
                await asyncio.sleep(_LAST_ONES)
                heard = _Heard()
                reached = await workers.go_on(held, rate, seconds)
                await asyncio.sleep(_LAST_ONES)
                opened.check()
                found.append(Window(reached, heard.to_hint, heard.to_watcher))
            return found

    return run(load())


def _changed(job: job_pb2.Job) -> float:
    return float(job.update_time.seconds + job.update_time.nanos / 1e9)
