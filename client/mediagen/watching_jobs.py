"""How does a watcher follow all jobs over connections that die?

A watch is one or more WatchJobs streams. Each one goes on behind the cursor of the last message; a
stream that breaks, falls silent or ends is replaced by the next. `Followed` is the memory that
survives them, and has no I/O.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from mediagen import errors
from mediagen.retries import Backoff
from mediagen.v1.generation_service_pb2 import WatchJobsRequest, WatchJobsResponse
from mediagen.v1.job_pb2 import Forecast, Job, JobRequest
from mediagen.watching import CUT, STREAM_SECONDS, heard_within, is_final

# Of so many jobs that have ended, or left the filter, it is remembered that this was told.
_MOST_GONE = 10_000


@dataclass(frozen=True)
class JobSnapshot:
    """A job that was there when the watch began, or had changed in a gap."""

    job: Job


@dataclass(frozen=True)
class JobUpdate:
    """A job as of its next revision."""

    job: Job


@dataclass(frozen=True)
class JobsGap:
    """Changes that can not be sent one by one. Snapshots and `Synced` follow."""

    from_time: datetime
    """The changes since then are left out; of jobs that have ended since, a snapshot comes."""
    restored: bool
    """The service was restored to an earlier moment: forget what was seen, take what follows."""


@dataclass(frozen=True)
class Synced:
    """Every job that was there has been told; from here on updates come."""

    snapshots: int


@dataclass(frozen=True)
class JobForecasts:
    """When waiting and running jobs may be taken and done, where that has moved."""

    forecasts: Mapping[str, Forecast]
    """By job id, the next to be taken first."""


@dataclass(frozen=True)
class Heartbeat:
    """Nothing changed, and the connection is alive."""

    current_time: datetime | None
    """Everything that had happened by this time, the service's, has been told."""


JobsEvent = JobSnapshot | JobUpdate | JobsGap | Synced | JobForecasts | Heartbeat


class Followed:
    """What a watcher has seen of all jobs."""

    def __init__(self, cursor: str, states: Collection[int] = ()) -> None:
        self.cursor = cursor
        self._states = frozenset(states)
        self._open: dict[str, int] = {}
        self._gone: OrderedDict[str, int] = OrderedDict()
        self._requests: dict[str, JobRequest] = {}
        self._told_anew: set[str] | None = None

    def begin_stream(self) -> None:
        """The next message is the first of a stream."""
        self._told_anew = None if self.cursor else set()

    def lacks_request(self, message: WatchJobsResponse) -> str:
        """The id of the job of an update that only a read can make whole; else empty."""
        job = message.update
        known = job.HasField("request") or job.job_id in self._requests
        return "" if known or message.WhichOneof("event") != "update" else job.job_id

    def unheard_of(self) -> list[str]:
        """At the end of a round of snapshots: open jobs that were not among them.

        They have ended, or left the filter, while there was no cursor to go on from.
        """
        told, self._told_anew = self._told_anew, None
        return [] if told is None else [each for each in self._open if each not in told]

    def take(self, message: WatchJobsResponse) -> JobsEvent | None:
        """What *message* tells; None if it is known."""
        event: JobsEvent | None = None
        match message.WhichOneof("event"):
            case "snapshot":
                event = JobSnapshot(message.snapshot) if self.learn(message.snapshot) else None
            case "update":
                event = JobUpdate(message.update) if self.learn(message.update) else None
            case "gap":
                self._told_anew = set()
                if message.gap.restored:
                    self._gone.clear()
                    self._open = dict.fromkeys(self._open, 0)
                event = JobsGap(_utc(message.gap.from_time), message.gap.restored)
            case "synced":
                event = Synced(message.synced.snapshots)
            case "forecasts":
                told = message.forecasts.forecasts
                event = JobForecasts({each.job_id: each.forecast for each in told})
            case "heartbeat":
                beat = message.heartbeat
                known = beat.HasField("current_time")
                event = Heartbeat(_utc(beat.current_time) if known else None)
        # Last: what was not told yet is told again by the next stream.
        self.cursor = message.cursor or self.cursor
        return event

    def learn(self, job: Job) -> bool:
        """Whether *job* is news. It is whole then, as far as its request is known."""
        if self._told_anew is not None:
            self._told_anew.add(job.job_id)
        if job.HasField("request"):
            self._requests[job.job_id] = job.request
        elif job.job_id in self._requests:
            job.request.CopyFrom(self._requests[job.job_id])
        last = self._open.get(job.job_id) or self._gone.get(job.job_id, 0)
        if job.revision <= last:
            return False
        if is_final(job) or (self._states and job.state not in self._states):
            self.forget(job.job_id)
            self._gone[job.job_id] = job.revision
            if len(self._gone) > _MOST_GONE:
                self._gone.popitem(last=False)
        else:
            self._gone.pop(job.job_id, None)
            self._open[job.job_id] = job.revision
        return True

    def forget(self, job_id: str) -> None:
        """There is no such job any more."""
        self._open.pop(job_id, None)
        self._requests.pop(job_id, None)


@dataclass(frozen=True)
class Source:
    """Everything that a watch of jobs needs beside its place."""

    open_stream: Callable[[WatchJobsRequest, float], grpc.aio.UnaryStreamCall]
    get: Callable[[str], Awaitable[Job]]
    silence: float
    reconnects: int
    backoff: Backoff
    on_reconnect: Callable[[errors.MediagenError], object] | None = None
    on_connect: Callable[[], object] | None = None


class JobsWatch:
    """An asynchronous iterator of events, which reconnects by itself.

    Close it with `aclose()` (contextlib.aclosing does) where the loop over it does not end.
    """

    def __init__(self, source: Source, wanted: WatchJobsRequest) -> None:
        self._source = source
        self._wanted = wanted
        self._followed = Followed(wanted.cursor, wanted.states)
        self._events = self._all()

    @property
    def cursor(self) -> str:
        """Where another watch goes on behind what this one has told. Empty until `Synced`."""
        return self._followed.cursor

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JobsEvent:
        return await anext(self._events)

    async def aclose(self) -> None:
        """Ends the stream to the server."""
        await self._events.aclose()

    async def _all(self) -> AsyncGenerator[JobsEvent, None]:
        failures = 0
        while True:
            try:
                async with aclosing(self._messages()) as messages:
                    async for message in messages:
                        failures = 0  # this connection is a good one
                        for event in await self._told(message):
                            yield event
                error: errors.MediagenError = errors.Unavailable("The stream ended.")
            except grpc.aio.AioRpcError as failure:
                error = errors.from_call(failure)
                if failure.code() not in CUT:
                    raise error from None
            except (errors.Unavailable, errors.DeadlineExceeded) as failure:
                error = failure
            failures += 1
            if failures > self._source.reconnects:
                raise error
            if self._source.on_reconnect:
                self._source.on_reconnect(error)
            delay = self._source.backoff.delay(failures)
            await asyncio.sleep(max(error.retry_delay or 0.0, delay))

    async def _told(self, message: WatchJobsResponse) -> list[JobsEvent]:
        found: list[JobsEvent] = []
        if job_id := self._followed.lacks_request(message):
            # One that was removed since is told as it is.
            with suppress(errors.NotFound):
                message.update.request.CopyFrom((await self._source.get(job_id)).request)
        if message.WhichOneof("event") == "synced":
            for job_id in self._followed.unheard_of():
                try:
                    job = await self._source.get(job_id)
                except errors.NotFound:
                    self._followed.forget(job_id)
                    continue
                if self._followed.learn(job):
                    found.append(JobSnapshot(job))
        event = self._followed.take(message)
        return found if event is None else [*found, event]

    async def _messages(self) -> AsyncGenerator[WatchJobsResponse, None]:
        request = WatchJobsRequest()
        request.CopyFrom(self._wanted)
        request.cursor = self._followed.cursor
        self._followed.begin_stream()
        call = self._source.open_stream(request, STREAM_SECONDS)
        silence = self._source.silence
        try:
            async with heard_within(silence):
                # The server sends it before there is anything to tell, which may take long.
                await call.initial_metadata()
            if self._source.on_connect and not call.done():
                self._source.on_connect()
            while True:
                async with heard_within(silence):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    return
                yield message
        finally:
            call.cancel()


def _utc(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)
