"""How does a watcher see every revision of a job once, in order, over connections that die?

A watch is one or more WatchJob streams. Each one starts behind the last revision that was
yielded; a stream that breaks, falls silent, skips a revision or ends early is replaced by the
next. `Revisions` is the memory that survives them, and has no I/O.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from mediagen import errors
from mediagen.retries import Backoff
from mediagen.v1.generation_service_pb2 import WatchJobRequest, WatchJobResponse
from mediagen.v1.job_pb2 import Forecast, Job, JobRequest

FINAL = frozenset({Job.STATE_COMPLETED, Job.STATE_FAILED, Job.STATE_CANCELED})

# A stream is renewed at this age: no call is without a deadline, and watchers move to new servers.
STREAM_SECONDS = 3600.0

# Codes of a stream that was cut, by a server, a proxy or a lost connection. Any other code is the
# server's answer to the request, and would be the answer to the next one too.
CUT = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNKNOWN,
    }
)


@dataclass(frozen=True)
class Gap:
    """Revisions that the server can not send any more, or (after a restore) no longer has.

    The job that comes next is whole, and tells where the watch goes on.
    """

    from_revision: int
    to_revision: int


def is_final(job: Job) -> bool:
    """Whether the job will never change again. A state that is not known yet is not final."""
    return job.state in FINAL


@asynccontextmanager
async def heard_within(seconds: float) -> AsyncIterator[None]:
    """Raises Unavailable where the server is silent for so long."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        silent = f"Nothing was heard from the server for {seconds:g} seconds."
        raise errors.Unavailable(silent) from None


class Revisions:
    """What a watcher has seen of one job."""

    def __init__(self, after_revision: int, on_gap: Callable[[Gap], object] | None = None) -> None:
        self.last = after_revision
        self.request: JobRequest | None = None
        self._on_gap = on_gap
        self._gap_announced = False

    def take(self, message: WatchJobResponse) -> Job | None:
        """The job that *message* brings, whole; None if it brings nothing new.

        Raises Unavailable where revisions were skipped without a word. An update needs `request`.
        """
        event = message.WhichOneof("event")
        if event == "snapshot":
            return self._snapshot(message.snapshot)
        if event == "update":
            return self._update(message.update)
        if event == "gap":
            self._gap_announced = True  # told with its snapshot, which may come on another stream
        return None

    def _snapshot(self, job: Job) -> Job | None:
        self.request = job.request
        announced, self._gap_announced = self._gap_announced, False
        if job.revision == self.last or (job.revision < self.last and not announced):
            return None
        if job.revision < self.last:  # the server was restored to an earlier moment
            self._tell(Gap(job.revision + 1, self.last))
        elif self.last and job.revision > self.last + 1:
            self._tell(Gap(self.last + 1, job.revision - 1))
        self.last = job.revision
        return job

    def _update(self, job: Job) -> Job | None:
        if job.revision <= self.last:
            return None
        if job.revision > self.last + 1:
            raise errors.Unavailable(f"The stream skipped from revision {self.last}.")
        if self.request is not None:
            job.request.CopyFrom(self.request)
        self.last = job.revision
        return job

    def _tell(self, gap: Gap) -> None:
        if self._on_gap:
            self._on_gap(gap)


@dataclass(frozen=True)
class Watcher:
    """Everything that a watch needs beside its place in the job."""

    open_stream: Callable[[WatchJobRequest, float], grpc.aio.UnaryStreamCall]
    get: Callable[[str], Awaitable[Job]]
    silence: float
    reconnects: int
    backoff: Backoff
    on_reconnect: Callable[[errors.MediagenError], object] | None = None
    on_forecast: Callable[[Forecast], object] | None = None

    async def watch(self, job_id: str, revisions: Revisions) -> AsyncGenerator[Job, None]:
        """Every revision after `revisions.last`, until the job is final."""
        failures = 0
        while True:
            try:
                async for message in self._messages(job_id, revisions.last):
                    if message.WhichOneof("event") == "update" and revisions.request is None:
                        revisions.request = (await self.get(job_id)).request
                    if message.WhichOneof("event") == "forecast" and self.on_forecast:
                        self.on_forecast(message.forecast)
                    job = revisions.take(message)
                    if job is not None or message.WhichOneof("event") == "heartbeat":
                        failures = 0  # this connection is a good one
                    if job is None:
                        continue
                    yield job
                    if is_final(job):
                        return
                if await self._nothing_follows(job_id, revisions.last):
                    return
                error: errors.MediagenError = errors.Unavailable("The stream ended too early.")
            except grpc.aio.AioRpcError as failure:
                error = errors.from_call(failure)
                if failure.code() not in CUT:
                    raise error from None
            except (errors.Unavailable, errors.DeadlineExceeded) as failure:
                error = failure
            failures += 1
            if failures > self.reconnects:
                raise error
            if self.on_reconnect:
                self.on_reconnect(error)
            await asyncio.sleep(max(error.retry_delay or 0.0, self.backoff.delay(failures)))

    async def _messages(self, job_id: str, after: int) -> AsyncGenerator[WatchJobResponse, None]:
        request = WatchJobRequest(job_id=job_id, after_revision=after)
        call = self.open_stream(request, STREAM_SECONDS)
        try:
            while True:
                async with heard_within(self.silence):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    return
                yield message
        finally:
            call.cancel()

    async def _nothing_follows(self, job_id: str, last: int) -> bool:
        """A stream that ended well may have been cut by a proxy: only the job itself can say."""
        job = await self.get(job_id)
        return is_final(job) and job.revision <= last
