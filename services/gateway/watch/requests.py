"""What did the jobs that come into a watch ask for? Read once, for however many watchers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from gateway.watch.flights import Flights
from gateway.watch.source import Source
from mediagen.v1 import job_pb2

KEPT_BYTES = 16 * 1024 * 1024
BATCH = 100


class Requests:
    """The requests that were needed last, as many as fit into *kept_bytes*. They never change."""

    def __init__(self, store: Source, flights: Flights, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._store = store
        self._flights = flights
        self._most_bytes = kept_bytes
        self._kept: OrderedDict[tuple[str, str], job_pb2.JobRequest] = OrderedDict()
        self._bytes = 0
        self._wanted: dict[str, dict[str, None]] = {}

    def keep(self, tenant: str, job_id: str, request: job_pb2.JobRequest) -> None:
        """Remembers a request that came by another way."""
        key = (tenant, job_id)
        if key in self._kept:
            return
        self._kept[key] = request
        self._bytes += request.ByteSize()
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.ByteSize()

    async def of(self, tenant: str, job_id: str) -> job_pb2.JobRequest | None:
        """The request of a job; None if there is no such job. Raises what the store says."""
        key = (tenant, job_id)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        while True:
            self._wanted.setdefault(tenant, {})[job_id] = None
            read = await self._flights.ask(("requests", tenant), lambda: self._read(tenant))
            if job_id in read:
                return read[job_id]
            await asyncio.sleep(0)

    async def _read(self, tenant: str) -> dict[str, job_pb2.JobRequest | None]:
        wanted = self._wanted.pop(tenant, {})
        job_ids = list(wanted)[:BATCH]
        if later := list(wanted)[BATCH:]:
            self._wanted[tenant] = dict.fromkeys(later)
        if not job_ids:
            return {}
        read: dict[str, job_pb2.JobRequest | None] = {}
        # Long ones come in several answers; the last one is empty.
        while missing := [each for each in job_ids if each not in read]:
            answer = await self._store.read_requests(tenant, missing)
            for job_id, request in answer.requests.items():
                self.keep(tenant, job_id, request)
                read[job_id] = request
            if not answer.requests:
                read.update(dict.fromkeys(missing))
        return read
