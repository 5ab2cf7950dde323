"""How does a program submit jobs, and learn what becomes of them? The calls of `Client`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

from mediagen import errors, requests, uploading
from mediagen.connection import Connection
from mediagen.v1 import generation_service_pb2 as messages
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from mediagen.v1.job_pb2 import Forecast, Job, Priority
from mediagen.watching import Gap, Revisions, Watcher
from mediagen.watching_jobs import JobsWatch, Source

if TYPE_CHECKING:
    from mediagen.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub

# The model may have to be looked up at the provider before its inputs can be checked.
_CHECK_SECONDS = 20.0


class Jobs:
    """Submissions, lists, watches."""

    def __init__(self, connection: Connection, *, reconnects: int, silence: float) -> None:
        self._connection = connection
        self._reconnects, self._silence = reconnects, silence

    async def submit(
        self,
        prompt: str = "",
        *,
        model: str,
        input: Mapping[str, Any] | None = None,
        timeout: requests.Seconds | None = None,
        labels: Mapping[str, str] | None = None,
        priority: Priority.ValueType | str | None = None,
        request_id: str | None = None,
        webhook: requests.Webhook | None = None,
        validate_only: bool = False,
    ) -> Job:
        """Submits a job. Once this returns, the job ends, whatever dies.

        input: the model's other inputs by name. A file is an https or data URL, the Upload that
        `upload` returned, "artifact:{job_id}/{index}", or a pathlib.Path, which is uploaded first.
        timeout: for the whole job, in seconds or as a timedelta; one hour if None. priority: "low",
        "normal" or "high". request_id: your own id of this submission: submitting again with it
        returns the same job. One is made if None, so that the client's own retries are safe; give
        one if you may have to repeat the call.
        webhook: a URL to tell of this job's end, or {"url": …, "events": ["job.started", …]}.
        validate_only: only check; the job that is returned has no id and no state, and its
        `request.defaults` says what the model takes for the inputs that were left out.

        Raises InvalidRequest, RequestIdReused, Unavailable, DeadlineExceeded.
        """
        request = requests.submit_request(
            prompt,
            model=model,
            request_id=request_id or str(uuid.uuid4()),
            input=await uploading.with_uploads(self._connection, input) if input else None,
            timeout=timeout,
            labels=labels,
            priority=priority,
            webhook=webhook,
            validate_only=validate_only,
        )
        answer: messages.SubmitJobResponse = await self._connection.call(
            self._stub.SubmitJob, request, shortest_timeout=_CHECK_SECONDS
        )
        return answer.job

    async def get(self, job_id: str) -> Job:
        """The job as it is now. Raises JobNotFound."""
        request = messages.GetJobRequest(job_id=job_id)
        answer: messages.GetJobResponse = await self._connection.call(self._stub.GetJob, request)
        return answer.job

    async def cancel(self, job_id: str) -> Job:
        """Cancels the job, and returns it once the cancel is noted. Raises JobNotFound.

        A waiting job is canceled at once; for a running one the provider's last word decides.
        Its `charge` says whether it may cost. A final job is returned as it is.
        """
        request = messages.CancelJobRequest(job_id=job_id)
        answer: messages.CancelJobResponse = await self._connection.call(
            self._stub.CancelJob, request
        )
        return answer.job

    async def list_page(
        self, *, page_size: int = 50, page_token: str = "", **filters: Unpack[requests.ListFilters]
    ) -> messages.ListJobsResponse:
        """One page of the jobs for which all filters hold, newest first.

        Its next_page_token, given back with the same filters, gets the next page; it is empty on
        the last one.
        """
        request = requests.list_request(page_size, page_token, filters)
        answer: messages.ListJobsResponse = await self._connection.call(
            self._stub.ListJobs, request
        )
        return answer

    async def list(
        self, *, page_size: int = 50, **filters: Unpack[requests.ListFilters]
    ) -> AsyncGenerator[Job, None]:
        """All jobs for which all filters hold, newest first, fetched page by page."""
        token = ""
        while True:
            page = await self.list_page(page_size=page_size, page_token=token, **filters)
            for job in page.jobs:
                yield job
            token = page.next_page_token
            if not token:
                return

    async def watch(
        self,
        job_id: str,
        after_revision: int = 0,
        *,
        on_gap: Callable[[Gap], object] | None = None,
        on_reconnect: Callable[[errors.MediagenError], object] | None = None,
        on_forecast: Callable[[Forecast], object] | None = None,
    ) -> AsyncGenerator[Job, None]:
        """The whole job now, then at every revision, once and in order, until it is final.

        With after_revision, only later revisions come, and no job before them. A connection that
        breaks or falls silent is replaced, and the watch goes on behind the last revision;
        on_reconnect is called with the error first. on_gap is called, before the next job, where
        revisions can not be sent any more. on_forecast is called when it has moved when the job may
        be taken and done; the first estimate is the first job's `forecast`.

        Raises JobNotFound; Unavailable once `reconnects` tries in a row failed.
        """
        watcher = Watcher(
            open_stream=lambda request, timeout: self._stub.WatchJob(
                request, timeout=timeout, metadata=self._connection.metadata
            ),
            get=self.get,
            silence=self._silence,
            reconnects=self._reconnects,
            backoff=self._connection.backoff,
            on_reconnect=on_reconnect,
            on_forecast=on_forecast,
        )
        revisions = Revisions(after_revision, on_gap)
        async for job in watcher.watch(job_id, revisions):
            yield job

    def watch_jobs(
        self,
        *,
        cursor: str = "",
        on_connect: Callable[[], object] | None = None,
        on_reconnect: Callable[[errors.MediagenError], object] | None = None,
        **filters: Unpack[requests.WatchFilters],
    ) -> JobsWatch:
        """All jobs for which all filters hold, as they change: an endless iterator of events.

        First a JobSnapshot of each that is not final, then Synced, then a JobUpdate for every
        revision, once, and in order for each job. With a cursor (`.cursor` of an earlier watch)
        only what came after it. A connection that breaks or falls silent is replaced, and the watch
        goes on where it was; on_reconnect is called with the error first. on_connect is called each
        time the server has answered, before its first event. Where the server can not tell
        everything any more, JobsGap says so, and snapshots and Synced follow.

        The iterator raises InvalidRequest, and Unavailable once `reconnects` tries in a row failed.
        """
        source = Source(
            open_stream=lambda request, timeout: self._stub.WatchJobs(
                request, timeout=timeout, metadata=self._connection.metadata
            ),
            get=self.get,
            silence=self._silence,
            reconnects=self._reconnects,
            backoff=self._connection.backoff,
            on_reconnect=on_reconnect,
            on_connect=on_connect,
        )
        return JobsWatch(source, requests.watch_request(cursor, filters))

    async def wait(self, job_id: str, *, timeout: float | None = None) -> Job:
        """The job once it is final: completed, failed or canceled.

        Raises TimeoutError after *timeout* seconds; the job goes on. Raises as `watch` does.
        """
        async with asyncio.timeout(timeout):
            last = None
            async for job in self.watch(job_id):
                last = job
            return last or await self.get(job_id)

    @property
    def _stub(self) -> GenerationServiceAsyncStub:
        return cast("GenerationServiceAsyncStub", GenerationServiceStub(self._connection.channel))
