"""What is told to watchers? Messages, each turned into bytes once for all who get it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

from google.protobuf.message import Message

from gateway.watch.cursor import Cursor, ms_of
from mediagen.store.v1.feed_pb2 import FeedEvent
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import WatchJobResponse, WatchJobsResponse

M = TypeVar("M", bound=Message)


class Told(Generic[M]):
    """A message for one watcher or many. Nobody changes it once it was told."""

    __slots__ = ("_forms", "message")

    def __init__(self, message: M) -> None:
        self.message = message
        self._forms: dict[Callable[[M], bytes], bytes] = {}

    def form(self, make: Callable[[M], bytes]) -> bytes:
        """What *make* makes of the message: made at the first call, and then the same bytes."""
        made = self._forms.get(make)
        if made is None:
            made = self._forms[make] = make(self.message)
        return made


Asked: TypeAlias = "Callable[[Change], Awaitable[job_pb2.JobRequest | None]]"


class Change:
    """One event of a tenant's feed, and the messages that watchers get of it."""

    __slots__ = (
        "_entering", "_job", "_jobs", "_starting",
        "bytes", "event", "job_id", "sequence", "time_ms",
    )  # fmt: skip

    def __init__(self, event: FeedEvent) -> None:
        self.event = event
        self.job_id = event.job.job_id
        self.sequence = event.position.sequence
        self.time_ms = ms_of(event.job.update_time)
        self.bytes = event.ByteSize()
        self._job: Told[WatchJobResponse] | None = None
        self._jobs: Told[WatchJobsResponse] | None = None
        self._entering: Told[WatchJobsResponse] | None = None
        self._starting: Told[WatchJobsResponse] | None = None

    @property
    def job(self) -> job_pb2.Job:
        """The job as of the revision, without its request."""
        return self.event.job

    def for_job(self) -> Told[WatchJobResponse]:
        """What a watcher of the job gets."""
        if self._job is None:
            self._job = Told(WatchJobResponse(update=self.job))
        return self._job

    def for_jobs(self) -> Told[WatchJobsResponse]:
        """What a watcher of jobs gets that knows the job."""
        if self._jobs is None:
            self._jobs = Told(self._message())
        return self._jobs

    async def entering(self, request: Asked) -> Told[WatchJobsResponse]:
        """What a watcher of jobs gets that may not: the same, with what was asked for."""
        if self._entering is None:
            self._entering = Told(_with(self._message(), await request(self)))
        return self._entering

    async def starting(self, request: Asked) -> Told[WatchJobsResponse]:
        """The same for a watcher that is not synced yet: without a cursor."""
        if self._starting is None:
            message = WatchJobsResponse(update=self.job)
            self._starting = Told(_with(message, await request(self)))
        return self._starting

    def _message(self) -> WatchJobsResponse:
        position = self.event.position
        cursor = Cursor(position.generation, position.sequence, self.time_ms)
        return WatchJobsResponse(cursor=cursor.text(self.event.tenant), update=self.job)


def _with(message: WatchJobsResponse, request: job_pb2.JobRequest | None) -> WatchJobsResponse:
    if request is not None:
        message.update.request.CopyFrom(request)
    return message
