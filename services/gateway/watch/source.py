"""What do watches ask of the store?"""

from __future__ import annotations

from typing import Protocol

from mediagen.store.v1.feed_pb2 import FeedPosition
from mediagen.store.v1.job_store_service_pb2 import (
    ListJobsRequest,
    ListJobsResponse,
    ReadFeedResponse,
    ReadForecastsResponse,
    ReadJobEventsResponse,
    ReadRequestsResponse,
)


class Source(Protocol):
    """The reads of JobStoreService, by tenant."""

    async def read_job_events(
        self, tenant: str, job_id: str, after_revision: int, limit: int
    ) -> ReadJobEventsResponse:
        """The job and its revisions behind one, as of one instant."""
        ...

    async def read_feed(
        self, tenant: str, after: FeedPosition | None, limit: int = 0
    ) -> ReadFeedResponse:
        """The events behind *after* (without it none), and the head."""
        ...

    async def list_jobs(self, wanted: ListJobsRequest) -> ListJobsResponse:
        """A page of jobs."""
        ...

    async def read_requests(self, tenant: str, job_ids: list[str]) -> ReadRequestsResponse:
        """What the jobs asked for, of at most 500."""
        ...

    async def read_forecasts(self, tenant: str) -> ReadForecastsResponse:
        """The estimates of the jobs that are not final."""
        ...
