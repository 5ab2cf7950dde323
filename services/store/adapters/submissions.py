"""How a job is written: once for each request_id, whatever repeats.

One statement writes the job and its first event, so that both are there or neither. A conflict on
(tenant, request_id) writes nothing, and the job found instead must have the same request.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.database import Database
from store.adapters.projection import job_message, whole_job
from store.adapters.wakeups import Wakeups
from store.adapters.writes import first_rows
from store.domain.errors import RequestIdReused
from store.domain.job import Job

#: Priority moves a job's place in the line by a fixed time, so that nothing waits for ever.
RANK_SHIFT = {
    job_pb2.PRIORITY_HIGH: timedelta(minutes=-15),
    job_pb2.PRIORITY_LOW: timedelta(minutes=15),
}


def new_job_id() -> UUID:
    """A UUIDv7 (RFC 9562): by time, so that new rows stand together in every index."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def request_hash(request: job_pb2.JobRequest) -> bytes:
    """The SHA-256 of what was asked for, its id apart: what a repeat is compared by."""
    words = MessageToDict(request, preserving_proto_field_name=True)
    words.pop("request_id", None)
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).digest()


class Submissions:
    """Writes new jobs."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups

    async def create(self, tenant: str, request: job_pb2.JobRequest) -> job_pb2.Job:
        """The job, new or found. RequestIdReused if the one found had another request."""
        now = self._database.now()
        digest = request_hash(request)
        job = Job(
            job_id=new_job_id(),
            tenant=tenant,
            create_time=now,
            update_time=now,
            deadline=now + request.timeout.ToTimedelta(),
        )
        view = job_message(job).SerializeToString()
        row, event = first_rows(job, view)
        row |= {
            "request": request.SerializeToString(),
            "request_id": request.request_id or None,
            "request_hash": digest,
            "model": request.model,
            "prompt": request.prompt,
            "labels": dict(request.labels),
            "rank_time": now + RANK_SHIFT.get(request.priority, timedelta()),
        }
        written = (
            insert(t.jobs)
            .values(**row)
            .on_conflict_do_nothing(index_elements=["tenant", "request_id"])
            .returning(t.jobs.c.job_id)
            .cte("written")
        )
        columns = [t.events.c[name] for name in event]
        values = [
            sa.literal(value, column.type)
            for value, column in zip(event.values(), columns, strict=True)
        ]
        first_event = (
            sa.insert(t.events)
            .from_select(list(event), sa.select(*values).select_from(written))
            .returning(t.events.c.job_id)
            .cte("first_event")
        )
        async with self._database.single() as connection:
            result = await connection.execute(sa.select(first_event.c.job_id).add_cte(written))
            if result.scalar_one_or_none() is None:
                return await self._found(connection, tenant, request.request_id, digest)
        self._wakeups.admitter.set()
        self._wakeups.numberer.set()
        return whole_job(view, row["request"])

    async def _found(
        self, connection: AsyncConnection, tenant: str, request_id: str,
        digest: bytes,
    ) -> job_pb2.Job:  # fmt: skip
        jobs = t.jobs.c
        query = sa.select(jobs.job_id, jobs.request_hash, jobs.view, jobs.request).where(
            jobs.tenant == tenant, jobs.request_id == request_id
        )
        row = (await connection.execute(query)).one()
        if row.request_hash != digest:
            raise RequestIdReused(request_id, row.job_id)
        return whole_job(row.view, row.request)
