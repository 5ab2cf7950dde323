"""JobStoreService: jobs as the gateway needs them.

Comes from: a gateway. Goes on: the admitter dispatches what was created.
"""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

from jobqueue.publisher import Publisher
from mediagen.store.v1 import job_store_service_pb2 as pb
from mediagen.store.v1.job_store_service_pb2_grpc import JobStoreServiceServicer
from mediagen.v1 import job_pb2
from store.adapters.database import Database, Unavailable
from store.adapters.feed import Feed, Position
from store.adapters.forecasts import Forecasts
from store.adapters.jobs import Jobs
from store.adapters.overview import read_counts
from store.adapters.projection import artifact_message, timestamp
from store.adapters.queries import Filter, Queries
from store.adapters.submissions import Submissions
from store.domain.ending import cancel
from store.domain.job import Leased
from store.domain.states import State
from store.rpc.hints import WorkerHints
from store.rpc.wire import job_id_of, known_ids

MOST_REQUESTS = 500
HEALTH_TIMEOUT = 1.0  #: shorter than a gateway waits, so that it hears which part is away


class JobStore(JobStoreServiceServicer):
    """Each method is one use case."""

    def __init__(
        self, database: Database, jobs: Jobs, submissions: Submissions, feed: Feed,
        publisher: Publisher, forecasts: Forecasts,
    ) -> None:  # fmt: skip
        self._database = database
        self._jobs = jobs
        self._submissions = submissions
        self._feed = feed
        self._queries = Queries(database)
        self._publisher = publisher
        self._forecasts = forecasts
        self._hints = WorkerHints(publisher)

    async def CreateJob(self, request: pb.CreateJobRequest, context: Any) -> pb.CreateJobResponse:
        """Writes the job, once for each request_id; or only finds it."""
        if request.find_only:
            job = await self._submissions.find(request.tenant, request.request, request.secrets)
        else:
            job = await self._submissions.create(request.tenant, request.request, request.secrets)
        return pb.CreateJobResponse(job=job)

    async def GetJob(self, request: pb.GetJobRequest, context: Any) -> pb.GetJobResponse:
        """Reads the job."""
        job = await self._queries.job(request.tenant, job_id_of(request.job_id))
        await self._forecasts.add([job])
        return pb.GetJobResponse(job=job)

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        """Reads a page."""
        size = min(max(request.page_size, 1), 200)
        jobs, token = await self._queries.page(_filter_of(request), size, request.page_token)
        await self._forecasts.add(jobs)
        return pb.ListJobsResponse(jobs=jobs, next_page_token=token)

    async def CancelJob(self, request: pb.CancelJobRequest, context: Any) -> pb.CancelJobResponse:
        """Cancels, or notes the cancel and tells the worker."""
        job_id = job_id_of(request.job_id)
        async with self._jobs.change("cancel_job", job_id, request.tenant) as change:
            change.save(cancel(change.job, change.now))
        worker = change.job.mover.owner if isinstance(change.job.mover, Leased) else None
        if worker is not None and change.saved is not change.job:
            await self._hints.canceled(worker, request.job_id)
        job = await self._queries.job(request.tenant, job_id)
        return pb.CancelJobResponse(job=job)

    async def ReadJobEvents(
        self, request: pb.ReadJobEventsRequest, context: Any
    ) -> pb.ReadJobEventsResponse:
        """Reads the job and its later revisions."""
        limit = min(request.limit or 200, 1000)
        job, revisions = await self._queries.revisions(
            request.tenant, job_id_of(request.job_id), request.after_revision, limit
        )
        if not request.after_revision:
            await self._forecasts.add([job])  # who begins to watch is shown it
        return pb.ReadJobEventsResponse(job=job, revisions=revisions)

    async def ReadFeed(self, request: pb.ReadFeedRequest, context: Any) -> pb.ReadFeedResponse:
        """Reads the feed behind a position, or where its head is."""
        after = None
        if request.HasField("after"):
            after = Position(request.after.generation, request.after.sequence)
        limit = min(request.limit or 500, 1000)
        part = await self._feed.read(request.tenant, after, limit)
        return pb.ReadFeedResponse(
            events=part.events,
            head=part.head.message(),
            as_of=timestamp(part.as_of),
            read_time=timestamp(part.read_time),
        )

    async def ReadRequests(
        self, request: pb.ReadRequestsRequest, context: Any
    ) -> pb.ReadRequestsResponse:
        """Reads what was asked for."""
        job_ids = known_ids(request.job_ids[:MOST_REQUESTS])
        found = await self._queries.requests(request.tenant, job_ids)
        return pb.ReadRequestsResponse(requests=found)

    async def ReadForecasts(
        self, request: pb.ReadForecastsRequest, context: Any
    ) -> pb.ReadForecastsResponse:
        """Estimates when the tenant's jobs are taken and done."""
        forecasts = await self._forecasts.of_tenant(request.tenant)
        return pb.ReadForecastsResponse(forecasts=forecasts)

    async def GetArtifact(
        self, request: pb.GetArtifactRequest, context: Any
    ) -> pb.GetArtifactResponse:
        """Reads where an artifact is."""
        job_id = job_id_of(request.job_id)
        artifact = await self._queries.artifact(request.tenant, job_id, request.index)
        preview = artifact.preview
        return pb.GetArtifactResponse(
            artifact=artifact_message(artifact),
            object_key=artifact.object_key,
            preview_object_key=preview.object_key if preview is not None else "",
        )

    async def GetHealth(self, request: pb.GetHealthRequest, context: Any) -> pb.GetHealthResponse:
        """Reads how the parts behind the store are."""
        broker = True
        try:
            await self._publisher.check()
        except Exception:
            broker = False
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT), self._database.single() as connection:
                counts = await read_counts(connection)
        except (Unavailable, TimeoutError):
            return pb.GetHealthResponse(broker=broker)
        return pb.GetHealthResponse(
            database=True,
            broker=broker,
            provider=counts.shut is None,
            provider_message=counts.shut or "",
            workers=counts.workers,
            slots=counts.slots,
            waiting_jobs=counts.waiting,
            running_jobs=counts.running,
            unresolved_attempts=counts.parked,
            parked_jobs=counts.parked,
            dead_jobs=counts.dead,
            simulated=counts.simulated,
        )


def _filter_of(request: pb.ListJobsRequest) -> Filter:
    states = tuple(
        State(job_pb2.Job.State.Name(each).removeprefix("STATE_")) for each in request.states
    )
    since = before = active = None
    if request.HasField("create_time_from"):
        since = request.create_time_from.ToDatetime(tzinfo=UTC)
    if request.HasField("create_time_before"):
        before = request.create_time_before.ToDatetime(tzinfo=UTC)
    if request.HasField("active_since"):
        active = request.active_since.ToDatetime(tzinfo=UTC)
    return Filter(
        tenant=request.tenant,
        states=states,
        model=request.model,
        labels=tuple(sorted(request.labels.items())),
        since=since,
        before=before,
        prompt_contains=request.prompt_contains,
        active_since=active,
    )
