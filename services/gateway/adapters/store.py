"""How does the gateway ask the store? With a deadline on every call."""

from __future__ import annotations

from typing import cast

import grpc
from google.protobuf.struct_pb2 import Struct

from gateway.adapters.answers import answered
from mediagen.store.v1 import feed_pb2
from mediagen.store.v1 import job_store_service_pb2 as store_pb2
from mediagen.store.v1 import job_store_service_pb2_grpc as store_grpc
from mediagen.v1 import job_pb2
from servicekit import channels, failpoints
from servicekit.connect import retrying
from servicekit.lifecycle import Stop

_JOBS = "mediagen.store.v1.JobStoreService"
_OPERATOR = "mediagen.v1.OperatorService"
_ENDPOINTS = "mediagen.v1.WebhookEndpointService"
_CATALOGUE = "mediagen.store.v1.CatalogueService"
_FILES = "mediagen.store.v1.FileService"
# Every method of jobs: even CreateJob, as each request has a request_id by then. Of webhooks those
# that are declared so: another create or ping is another endpoint or delivery. Of uploads all but
# the first: another beginning is another upload.
_REPEATABLE = (
    f"{_JOBS}/CreateJob",
    f"{_JOBS}/GetJob",
    f"{_JOBS}/ListJobs",
    f"{_JOBS}/CancelJob",
    f"{_JOBS}/ReadJobEvents",
    f"{_JOBS}/ReadFeed",
    f"{_JOBS}/ReadRequests",
    f"{_JOBS}/ReadForecasts",
    f"{_JOBS}/GetArtifact",
    f"{_OPERATOR}/GetOverview",
    f"{_OPERATOR}/GetStatistics",
    f"{_OPERATOR}/SyncModels",
    f"{_OPERATOR}/ListDeadLetters",
    f"{_OPERATOR}/GetDeadLetter",
    f"{_OPERATOR}/RedriveDeadLetters",
    f"{_OPERATOR}/DiscardDeadLetters",
    f"{_ENDPOINTS}/GetWebhookEndpoint",
    f"{_ENDPOINTS}/ListWebhookEndpoints",
    f"{_ENDPOINTS}/UpdateWebhookEndpoint",
    f"{_ENDPOINTS}/PauseWebhookEndpoint",
    f"{_ENDPOINTS}/ResumeWebhookEndpoint",
    f"{_ENDPOINTS}/GetWebhookSecret",
    f"{_ENDPOINTS}/ListWebhookDeliveries",
    f"{_ENDPOINTS}/GetWebhookDelivery",
    f"{_CATALOGUE}/ReadModel",
    f"{_CATALOGUE}/ListModels",
    f"{_FILES}/CompleteUpload",
    f"{_FILES}/ReadUpload",
    f"{_FILES}/ResolveInputs",
    "mediagen.store.v1.AttemptLedgerService/RecordPrediction",
)
HEALTH_SECONDS = 1.5


def open_channel(address: str, *, timeout: float = 5.0) -> grpc.aio.Channel:
    """A channel to the store's replicas."""
    # A page of 200 jobs with the longest prompts and inputs is 60 MB.
    return channels.open(
        address,
        timeout=timeout,
        idempotent=_REPEATABLE,
        max_message_bytes=64 * 1024 * 1024,
    )


class StoreClient:
    """JobStoreService. Raises StoreUnavailable where it can not be reached, and else what it says
    (AioRpcError), which is as true for our caller."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = store_grpc.JobStoreServiceStub(channel)
        self._stub = cast("store_grpc.JobStoreServiceAsyncStub", stub)

    async def create_job(
        self, tenant: str, request: job_pb2.JobRequest, secrets: Struct
    ) -> job_pb2.Job:
        """The new job, or the one that the same request_id made. *request* has masks for the
        *secrets*."""
        return await self._create(
            store_pb2.CreateJobRequest(tenant=tenant, request=request, secrets=secrets)
        )

    async def find_job(self, tenant: str, request: job_pb2.JobRequest) -> job_pb2.Job | None:
        """The job that the same request_id made, if there is one."""
        wanted = store_pb2.CreateJobRequest(tenant=tenant, request=request, find_only=True)
        try:
            return await self._create(wanted)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    async def _create(self, wanted: store_pb2.CreateJobRequest) -> job_pb2.Job:
        with failpoints.around("create_job"):
            answer: store_pb2.CreateJobResponse = await answered(self._stub.CreateJob(wanted))
        return answer.job

    async def get_job(self, tenant: str, job_id: str) -> job_pb2.Job:
        wanted = store_pb2.GetJobRequest(tenant=tenant, job_id=job_id)
        answer: store_pb2.GetJobResponse = await answered(self._stub.GetJob(wanted))
        return answer.job

    async def list_jobs(self, wanted: store_pb2.ListJobsRequest) -> store_pb2.ListJobsResponse:
        answer: store_pb2.ListJobsResponse = await answered(self._stub.ListJobs(wanted))
        return answer

    async def cancel_job(self, tenant: str, job_id: str) -> job_pb2.Job:
        wanted = store_pb2.CancelJobRequest(tenant=tenant, job_id=job_id)
        with failpoints.around("cancel_job"):
            answer: store_pb2.CancelJobResponse = await answered(self._stub.CancelJob(wanted))
        return answer.job

    async def read_job_events(
        self, tenant: str, job_id: str, after_revision: int, limit: int
    ) -> store_pb2.ReadJobEventsResponse:
        """The job and its revisions behind one, as of one instant."""
        wanted = store_pb2.ReadJobEventsRequest(
            tenant=tenant, job_id=job_id, after_revision=after_revision, limit=limit
        )
        answer: store_pb2.ReadJobEventsResponse = await answered(self._stub.ReadJobEvents(wanted))
        return answer

    async def read_feed(
        self, tenant: str, after: feed_pb2.FeedPosition | None, limit: int = 0
    ) -> store_pb2.ReadFeedResponse:
        """The events behind *after* and the head; without *after* the head only."""
        wanted = store_pb2.ReadFeedRequest(tenant=tenant, after=after, limit=limit)
        answer: store_pb2.ReadFeedResponse = await answered(self._stub.ReadFeed(wanted))
        return answer

    async def read_requests(
        self, tenant: str, job_ids: list[str]
    ) -> store_pb2.ReadRequestsResponse:
        """What the jobs asked for, of at most 500."""
        wanted = store_pb2.ReadRequestsRequest(tenant=tenant, job_ids=job_ids)
        answer: store_pb2.ReadRequestsResponse = await answered(self._stub.ReadRequests(wanted))
        return answer

    async def read_forecasts(self, tenant: str) -> store_pb2.ReadForecastsResponse:
        """The estimates of the jobs that are not final."""
        wanted = store_pb2.ReadForecastsRequest(tenant=tenant)
        answer: store_pb2.ReadForecastsResponse = await answered(self._stub.ReadForecasts(wanted))
        return answer

    async def get_artifact(
        self, tenant: str, job_id: str, index: int
    ) -> store_pb2.GetArtifactResponse:
        wanted = store_pb2.GetArtifactRequest(tenant=tenant, job_id=job_id, index=index)
        answer: store_pb2.GetArtifactResponse = await answered(self._stub.GetArtifact(wanted))
        return answer

    async def get_health(self) -> store_pb2.GetHealthResponse:
        answer: store_pb2.GetHealthResponse = await answered(
            self._stub.GetHealth(store_pb2.GetHealthRequest(), timeout=HEALTH_SECONDS)
        )
        return answer

    async def check(self) -> bool:
        """For Health: whether the store can be reached and has its database."""
        return (await self.get_health()).database

    async def wait(self, seconds: float, stop: Stop) -> None:
        """Returns once the store answers; raises GaveUp, or Stopped."""
        await retrying(
            "the store",
            self._probe,
            give_up_after=seconds,
            stop=stop,
            retry_on=(grpc.aio.AioRpcError,),
        )

    async def _probe(self) -> None:
        await self._stub.GetHealth(store_pb2.GetHealthRequest(), timeout=HEALTH_SECONDS)
