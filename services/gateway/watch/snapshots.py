"""Which jobs does a watch of jobs begin with? Pages of the store's list, read once for all who
come at the same time."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.watch.cursor import time_of
from gateway.watch.feed import Feed
from gateway.watch.filters import JobFilter
from gateway.watch.flights import Flights
from gateway.watch.source import Source
from gateway.watch.told import Told
from mediagen.store.v1.job_store_service_pb2 import ListJobsRequest
from mediagen.v1.generation_service_pb2 import WatchJobsResponse

PAGE = 100
# No job has ended then: only those that are not final are active since.
_NEVER = Timestamp(seconds=253_370_764_800)


class JobsPage(NamedTuple):
    """Jobs as they were read."""

    told: list[Told[WatchJobsResponse]]
    revisions: dict[str, int]
    read_at: float  # by the loop's clock
    next_token: str


class Snapshots:
    """Reads the jobs that a watch begins with."""

    def __init__(self, source: Source, flights: Flights) -> None:
        self._source = source
        self._flights = flights

    async def page(
        self, feed: Feed, wanted: JobFilter, since_ms: int | None, token: str
    ) -> JobsPage:
        """A page of the filter's jobs that are not final, or have ended since *since_ms*."""

        async def read() -> JobsPage:
            return await self._read(feed, wanted, since_ms, token)

        return await self._flights.ask(("jobs", feed, wanted, since_ms, token), read)

    async def _read(
        self, feed: Feed, wanted: JobFilter, since_ms: int | None, token: str
    ) -> JobsPage:
        request = ListJobsRequest(
            tenant=feed.tenant,
            page_size=PAGE,
            page_token=token,
            states=sorted(wanted.states),
            model=wanted.model,
            labels=dict(wanted.labels),
            active_since=_NEVER if since_ms is None else time_of(since_ms),
        )
        answer = await self._source.list_jobs(request)
        for job in answer.jobs:
            feed.board.note_whole(job)
        return JobsPage(
            told=[Told(WatchJobsResponse(snapshot=job)) for job in answer.jobs],
            revisions={job.job_id: job.revision for job in answer.jobs},
            read_at=asyncio.get_running_loop().time(),
            next_token=answer.next_page_token,
        )
