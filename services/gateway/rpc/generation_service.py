"""What does each public method do? Check, ask the store, show.

A submit goes on in submitting.py and the store's CreateJob, a watch in watches.py and watch/hub.py.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.duration_pb2 import Duration

from gateway.adapters.store import StoreClient
from gateway.adapters.stored_files import StoredFiles
from gateway.domain import webhook_targets
from gateway.domain.errors import ModelUnread
from gateway.rpc.checks import job_id_of
from gateway.rpc.health_view import HealthView
from gateway.rpc.job_view import JobView
from gateway.rpc.sending import bodies
from gateway.rpc.submitting import Settling
from gateway.rpc.tenants import tenant_of
from gateway.rpc.waiting import patience_of
from gateway.rpc.watches import Watches
from mediagen.store.v1 import job_store_service_pb2 as store_pb2
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceServicer
from servicekit.validation import InvalidRequest

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
# Most gRPC libraries take no message beyond 4 MiB; a page of long inputs has fewer jobs instead.
LARGEST_PAGE_BYTES = 3 * 1024 * 1024


class GenerationService(GenerationServiceServicer):
    """mediagen.v1.GenerationService. The requests here keep their protos' rules already."""

    def __init__(
        self,
        store: StoreClient,
        settling: Settling,
        watches: Watches,
        files: StoredFiles,
        view: JobView,
        health: HealthView,
        default_timeout: int,
    ) -> None:
        self._store = store
        self._settling = settling
        self._watches = watches
        self._files = files
        self._view = view
        self._health = health
        self._default_timeout = default_timeout

    async def SubmitJob(self, request: pb2.SubmitJobRequest, context: Any) -> pb2.SubmitJobResponse:
        tenant = _tenant(context)
        wanted = normalized(request, self._default_timeout)
        try:
            secrets = await self._settling.settle(tenant, request, wanted)
        except (InvalidRequest, ModelUnread) as refusal:
            # A repeat finds its job, whatever would be said of its input by now.
            if request.request_id and not request.validate_only:
                found = await self._store.find_job(tenant, wanted)
                if found is not None:
                    return pb2.SubmitJobResponse(job=self._view.show(found))
            if not isinstance(refusal, ModelUnread):
                raise
            patience = patience_of(context)
            secrets = await self._settling.settle(tenant, request, wanted, patience=patience)
        if request.validate_only:
            wanted.request_id = request.request_id
            return pb2.SubmitJobResponse(job=job_pb2.Job(request=wanted))
        job = await self._store.create_job(tenant, wanted, secrets)
        return pb2.SubmitJobResponse(job=self._view.show(job))

    async def GetJob(self, request: pb2.GetJobRequest, context: Any) -> pb2.GetJobResponse:
        job = await self._store.get_job(_tenant(context), job_id_of(request.job_id))
        return pb2.GetJobResponse(job=self._view.show(job))

    async def ListJobs(self, request: pb2.ListJobsRequest, context: Any) -> pb2.ListJobsResponse:
        wanted = page_wanted(_tenant(context), request)
        page = await self._store.list_jobs(wanted)
        while page.ByteSize() > LARGEST_PAGE_BYTES and wanted.page_size > 1:
            wanted.page_size = max(1, min(len(page.jobs), wanted.page_size) // 4)
            page = await self._store.list_jobs(wanted)
        return pb2.ListJobsResponse(
            jobs=[self._view.show(job) for job in page.jobs],
            next_page_token=page.next_page_token,
        )

    async def CancelJob(self, request: pb2.CancelJobRequest, context: Any) -> pb2.CancelJobResponse:
        job = await self._store.cancel_job(_tenant(context), job_id_of(request.job_id))
        return pb2.CancelJobResponse(job=self._view.show(job))

    def WatchJob(self, request: pb2.WatchJobRequest, context: Any) -> Any:
        return self._watches.job(request, context)

    def WatchJobEvents(self, request: pb2.WatchJobEventsRequest, context: Any) -> Any:
        return self._watches.job_events(request, context)

    def WatchJobs(self, request: pb2.WatchJobsRequest, context: Any) -> Any:
        return self._watches.jobs(request, context)

    def WatchJobsEvents(self, request: pb2.WatchJobsEventsRequest, context: Any) -> Any:
        return self._watches.jobs_events(request, context)

    async def DownloadArtifact(
        self, request: pb2.DownloadArtifactRequest, context: Any
    ) -> AsyncGenerator[HttpBody, None]:
        job_id = job_id_of(request.job_id)
        found = await self._files.find(_tenant(context), job_id, request.index)
        async with aclosing(bodies(self._files, found)) as pieces:
            async for piece in pieces:
                yield piece

    async def DownloadPreview(
        self, request: pb2.DownloadPreviewRequest, context: Any
    ) -> AsyncGenerator[HttpBody, None]:
        job_id = job_id_of(request.job_id)
        found = await self._files.find_preview(_tenant(context), job_id, request.index)
        async with aclosing(bodies(self._files, found)) as pieces:
            async for piece in pieces:
                yield piece

    async def GetHealth(self, request: pb2.GetHealthRequest, context: Any) -> pb2.GetHealthResponse:
        return await self._health.look()


def normalized(request: pb2.SubmitJobRequest, default_timeout: int) -> job_pb2.JobRequest:
    """The request with every default filled in, so that equal wishes are equal messages.

    One without a request_id gets one, which makes our own repeats towards the store safe.
    """
    timeout = request.timeout if request.HasField("timeout") else Duration(seconds=default_timeout)
    return job_pb2.JobRequest(
        model=request.model,
        prompt=request.prompt,
        input=request.input,
        labels=request.labels,
        priority=request.priority or job_pb2.PRIORITY_NORMAL,
        timeout=timeout,
        request_id=request.request_id or str(uuid.uuid4()),
        webhook=webhook_targets.normalized(request.webhook)
        if request.HasField("webhook")
        else None,
    )


def page_wanted(tenant: str, request: pb2.ListJobsRequest) -> store_pb2.ListJobsRequest:
    """The page to read. Unset times stay unset."""
    wanted = store_pb2.ListJobsRequest(
        tenant=tenant,
        page_size=min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE),
        page_token=request.page_token,
        states=request.states,
        model=request.model,
        labels=dict(_pair(label) for label in request.labels),
        prompt_contains=request.prompt_contains,
    )
    if request.HasField("create_time_from"):
        wanted.create_time_from.CopyFrom(request.create_time_from)
    if request.HasField("create_time_before"):
        wanted.create_time_before.CopyFrom(request.create_time_before)
    return wanted


def _pair(label: str) -> tuple[str, str]:
    key, _, value = label.partition("=")
    return key, value


def _tenant(context: Any) -> str:
    return tenant_of(context.invocation_metadata())
