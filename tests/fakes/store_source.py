"""The store in memory, without a server: what the watch hub asks, at once and interruptible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mediagen.store.v1 import job_store_service_pb2 as pb2
from tests.fakes.store import FakeStore


class _NoCall:
    def invocation_metadata(self) -> tuple[()]:
        return ()


class StoreSource:
    """Calls *between* after each answer is made and before it arrives."""

    def __init__(self, store: FakeStore, between: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self.between = between

    async def read_job_events(
        self, tenant: str, job_id: str, after_revision: int, limit: int
    ) -> pb2.ReadJobEventsResponse:
        request = pb2.ReadJobEventsRequest(
            tenant=tenant, job_id=job_id, after_revision=after_revision, limit=limit
        )
        return await self._answer(self._store.ReadJobEvents, request)

    async def read_feed(self, tenant: str, after: Any, limit: int = 0) -> pb2.ReadFeedResponse:
        request = pb2.ReadFeedRequest(tenant=tenant, after=after, limit=limit)
        return await self._answer(self._store.ReadFeed, request)

    async def list_jobs(self, wanted: pb2.ListJobsRequest) -> pb2.ListJobsResponse:
        return await self._answer(self._store.ListJobs, wanted)

    async def read_requests(self, tenant: str, job_ids: list[str]) -> pb2.ReadRequestsResponse:
        request = pb2.ReadRequestsRequest(tenant=tenant, job_ids=job_ids)
        return await self._answer(self._store.ReadRequests, request)

    async def read_forecasts(self, tenant: str) -> pb2.ReadForecastsResponse:
        request = pb2.ReadForecastsRequest(tenant=tenant)
        return await self._answer(self._store.ReadForecasts, request)

    async def _answer(self, method: Any, request: Any) -> Any:
        made = await method(request, _NoCall())
        answer = type(made)()
        answer.CopyFrom(made)
        self.between()
        await asyncio.sleep(0)
        return answer
