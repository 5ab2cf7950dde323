"""A store in memory: JobStoreService as its proto says, for tests of those who call it."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.rpc.error_details_pb2 import ErrorInfo

from mediagen.store.v1 import feed_pb2
from mediagen.store.v1 import job_store_service_pb2 as pb2
from mediagen.store.v1 import job_store_service_pb2_grpc as pb2_grpc
from mediagen.store.v1.catalogue_service_pb2_grpc import (
    CatalogueServiceServicer,
    add_CatalogueServiceServicer_to_server,
)
from mediagen.store.v1.file_service_pb2_grpc import (
    FileServiceServicer,
    add_FileServiceServicer_to_server,
)
from mediagen.v1 import error_reason_pb2 as reasons
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import JobForecast
from mediagen.v1.webhook_endpoint_service_pb2_grpc import (
    WebhookEndpointServiceServicer,
    add_WebhookEndpointServiceServicer_to_server,
)
from servicekit import server, statuses

Job = job_pb2.Job
FINAL = (Job.STATE_COMPLETED, Job.STATE_FAILED, Job.STATE_CANCELED)


@dataclass
class Kept:
    """A job: whole, and its revisions as the feed has them."""

    job: Job
    revisions: list[Job] = field(default_factory=list)


@dataclass
class Unnumbered:
    """A revision without a place in the feed: as it is told, and the state before."""

    job: Job
    previous: Job.State.ValueType


class FakeStore(pb2_grpc.JobStoreServiceServicer):
    """Set `fails` to a status code and every call is refused with it."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.feed: list[feed_pb2.FeedEvent] = []
        self.generation = 1
        # The real store numbers after its commit; a test may make the time between visible.
        self.numbers_at_once = True
        self.unnumbered: list[Unnumbered] = []
        self.forecasts: dict[str, job_pb2.Forecast] = {}
        self.page = 500  # events in an answer, at most
        self.dropped = 0  # so many of the oldest events of the feed are no longer kept
        self.objects: dict[tuple[str, int], str] = {}
        self.seen: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.fails: grpc.StatusCode | None = None
        self.health = pb2.GetHealthResponse(
            database=True, broker=True, provider=True, workers=1, slots=8
        )

    # What a test does.

    def add(self, request: job_pb2.JobRequest | None = None, **fields: Any) -> Job:
        """A new job at revision 1."""
        job_id = str(uuid.uuid4())
        job = Job(job_id=job_id, revision=0, state=Job.STATE_PENDING)
        wanted = job_pb2.JobRequest(model="a/b", prompt="p", priority=job_pb2.PRIORITY_NORMAL)
        wanted.MergeFrom(request or job_pb2.JobRequest())
        job.request.CopyFrom(wanted)
        self.kept[job_id] = Kept(job)
        return self.change(job_id, **fields)

    def change(self, job_id: str, **fields: Any) -> Job:
        """The next revision of a job."""
        kept = self.kept[job_id]
        job = Job()
        job.CopyFrom(kept.job)
        job.MergeFrom(Job(**fields))
        job.revision += 1
        now = time.time_ns()
        job.update_time.FromNanoseconds(now)
        if job.state in FINAL and not kept.job.HasField("end_time"):
            job.end_time.FromNanoseconds(now)
        previous = kept.job.state if kept.revisions else Job.STATE_UNSPECIFIED
        kept.job = job
        told = Job()
        told.CopyFrom(job)
        told.ClearField("request")
        kept.revisions.append(told)
        self.unnumbered.append(Unnumbered(told, previous))
        if self.numbers_at_once:
            self.number()
        return job

    def number(self) -> None:
        """Gives what was committed its places in the feed."""
        for each in self.unnumbered:
            request = self.kept[each.job.job_id].job.request
            event = feed_pb2.FeedEvent(
                tenant="default",
                position=self._position(len(self.feed) + 1),
                job=each.job,
                model=request.model,
                labels=request.labels,
                previous_state=each.previous,
            )
            if each.job.revision == 1:
                event.request.CopyFrom(request)
            self.feed.append(event)
        self.unnumbered.clear()

    def restart_feed(self) -> None:
        """The feed is made anew: another generation, from 1, without what was before."""
        self.number()
        self.generation += 1
        self.feed.clear()
        self.dropped = 0

    def saved(self) -> tuple[dict[str, Kept], list[feed_pb2.FeedEvent]]:
        """What `restore` brings back."""
        self.number()
        return copy.deepcopy(self.kept), copy.deepcopy(self.feed)

    def restore(self, saved: tuple[dict[str, Kept], list[feed_pb2.FeedEvent]]) -> None:
        """The database is put back to an earlier moment: another generation."""
        self.kept, self.feed = copy.deepcopy(saved)
        self.unnumbered.clear()
        self.generation += 1
        for event in self.feed:
            event.position.generation = self.generation

    def finish(self, job_id: str) -> Job:
        return self.change(job_id, state=Job.STATE_COMPLETED)

    def forget(self, job_id: str, *, before: int) -> None:
        """Retention: revisions lower than *before* are no longer kept."""
        kept = self.kept[job_id]
        kept.revisions = [each for each in kept.revisions if each.revision >= before]

    def drop(self, count: int) -> None:
        """Retention of the feed: the *count* oldest events are no longer kept."""
        self.dropped = count

    def batch(self, first: int, last: int | None = None) -> bytes:
        """The message on the events exchange for feed events *first* to *last*."""
        return feed_pb2.FeedBatch(events=self.feed[first - 1 : last or first]).SerializeToString()

    @property
    def head(self) -> feed_pb2.FeedPosition:
        return self._position(len(self.feed))

    def _position(self, sequence: int) -> feed_pb2.FeedPosition:
        return feed_pb2.FeedPosition(generation=self.generation, sequence=sequence)

    # What the gateway calls.

    async def CreateJob(self, request: Any, context: Any) -> Any:
        await self._begin(request, context)
        given = request.request
        for kept in self.kept.values():
            known = kept.job.request
            if given.request_id and known.request_id == given.request_id:
                if _asked(known) != _asked(given):
                    await refuse(
                        context,
                        grpc.StatusCode.ALREADY_EXISTS,
                        reasons.ERROR_REASON_REQUEST_ID_REUSED,
                    )
                return pb2.CreateJobResponse(job=kept.job)
        if request.find_only:
            await refuse(context, grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_JOB_NOT_FOUND)
        job = self.add()
        job.request.CopyFrom(given)
        return pb2.CreateJobResponse(job=job)

    async def GetJob(self, request: Any, context: Any) -> Any:
        return pb2.GetJobResponse(job=(await self._find(request, context)).job)

    async def ListJobs(self, request: Any, context: Any) -> Any:
        await self._begin(request, context)
        if request.page_token not in ("", "next") and not request.page_token.isdigit():
            await refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                reasons.ERROR_REASON_PAGE_TOKEN_INVALID,
            )
        jobs = [each.job for each in reversed(self.kept.values()) if _matches(each.job, request)]
        if not request.HasField("active_since"):
            return pb2.ListJobsResponse(jobs=jobs[: request.page_size], next_page_token="next")
        start = int(request.page_token or 0)
        end = start + request.page_size
        token = str(end) if end < len(jobs) else ""
        return pb2.ListJobsResponse(jobs=jobs[start:end], next_page_token=token)

    async def CancelJob(self, request: Any, context: Any) -> Any:
        kept = await self._find(request, context)
        if kept.job.state == Job.STATE_PENDING:
            self.change(request.job_id, state=Job.STATE_CANCELED)
        return pb2.CancelJobResponse(job=kept.job)

    async def ReadJobEvents(self, request: Any, context: Any) -> Any:
        kept = await self._find(request, context)
        later = [each for each in kept.revisions if each.revision > request.after_revision]
        revisions = later[: request.limit or 200] if request.after_revision else []
        return pb2.ReadJobEventsResponse(job=kept.job, revisions=revisions)

    async def ReadFeed(self, request: Any, context: Any) -> Any:
        await self._begin(request, context)
        answer = pb2.ReadFeedResponse(head=self.head)
        if request.HasField("after") and request.after.generation == self.generation:
            start = request.after.sequence
            later = self.feed[start : start + min(request.limit or 500, self.page)]
            answer.events.extend(e for e in later if e.position.sequence > self.dropped)
        oldest = min((u.job.update_time.ToNanoseconds() for u in self.unnumbered), default=None)
        answer.read_time.FromNanoseconds(time.time_ns())
        answer.as_of.FromNanoseconds(answer.read_time.ToNanoseconds() if oldest is None else oldest)
        return answer

    async def ReadRequests(self, request: Any, context: Any) -> Any:
        await self._begin(request, context)
        answer = pb2.ReadRequestsResponse()
        for job_id in request.job_ids:
            if job_id in self.kept:
                answer.requests[job_id].CopyFrom(self.kept[job_id].job.request)
        return answer

    async def ReadForecasts(self, request: Any, context: Any) -> Any:
        await self._begin(request, context)
        return pb2.ReadForecastsResponse(
            forecasts=[
                JobForecast(job_id=job_id, forecast=forecast)
                for job_id, forecast in self.forecasts.items()
            ]
        )

    async def GetArtifact(self, request: Any, context: Any) -> Any:
        kept = await self._find(request, context)
        for artifact in kept.job.artifacts:
            if artifact.index == request.index and artifact.HasField("delete_time"):
                await refuse(
                    context, grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_ARTIFACT_DELETED
                )
            if artifact.index == request.index:
                key = self.objects[request.job_id, request.index]
                preview = f"{key}.preview.webp" if artifact.HasField("preview") else ""
                return pb2.GetArtifactResponse(
                    artifact=artifact, object_key=key, preview_object_key=preview
                )
        await refuse(context, grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_ARTIFACT_NOT_FOUND)

    async def GetHealth(self, request: Any, context: Any) -> Any:
        await self._begin(request, context)
        return self.health

    async def _find(self, request: Any, context: Any) -> Kept:
        await self._begin(request, context)
        kept = self.kept.get(request.job_id)
        if kept is None:
            await refuse(context, grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_JOB_NOT_FOUND)
        return kept

    async def _begin(self, request: Any, context: Any) -> None:
        # Asked all the time, and so no part of what a test looks at.
        if not isinstance(request, pb2.GetHealthRequest):
            self.seen.append(request)
            self.metadata.append(dict(context.invocation_metadata() or ()))
        if self.fails is not None:
            await context.abort(self.fails, "a driver's own words")


def _asked(request: job_pb2.JobRequest) -> job_pb2.JobRequest:
    """Without what was settled when it was accepted."""
    asked = job_pb2.JobRequest()
    asked.CopyFrom(request)
    for name in ("model_version", "defaults", "input_files", "title", "secret_inputs"):
        asked.ClearField(name)
    return asked


def _matches(job: Job, request: Any) -> bool:
    since = request.active_since.ToNanoseconds() if request.HasField("active_since") else 0
    if job.state in FINAL and job.end_time.ToNanoseconds() < since:
        return False
    return (
        (not request.states or job.state in request.states)
        and (not request.model or job.request.model == request.model)
        and all(job.request.labels.get(key) == value for key, value in request.labels.items())
    )


async def refuse(context: Any, code: grpc.StatusCode, reason: Any) -> NoReturn:
    info = ErrorInfo(reason=reasons.ErrorReason.Name(reason), domain="mediagen.dev")
    await statuses.abort(context, statuses.packed(code, "The store says no.", [info]))


@asynccontextmanager
async def serving(
    store: FakeStore,
    port: int = 0,
    endpoints: WebhookEndpointServiceServicer | None = None,
    catalogue: CatalogueServiceServicer | None = None,
    files: FileServiceServicer | None = None,
) -> AsyncIterator[int]:
    """Serves *store* on loopback, and the others beside it; yields the port."""
    built = server.build()
    if catalogue is not None:
        add_CatalogueServiceServicer_to_server(catalogue, built)
    if files is not None:
        add_FileServiceServicer_to_server(files, built)
    pb2_grpc.add_JobStoreServiceServicer_to_server(store, built)
    if endpoints is not None:
        add_WebhookEndpointServiceServicer_to_server(endpoints, built)
    real_port = built.add_insecure_port(f"127.0.0.1:{port}")
    await built.start()
    try:
        yield real_port
    finally:
        await built.stop(0)
