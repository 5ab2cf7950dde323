"""How a job is written: once for each request_id, whatever repeats.

One statement writes the job and its first event, so that both are there or neither. It also finds
or makes the endpoint of the URL that the job names, and keeps the files that it uses. A conflict
on (tenant, request_id) writes no job, and the one found instead must have the same request.

Comes from: CreateJob in rpc/job_store.py. Goes on: loops/admitter.py.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.artifact_use import artifact_parameters, artifacts_of, kept_artifacts
from store.adapters.database import CLOCK, Database
from store.adapters.named_endpoints import named_endpoint, parameters
from store.adapters.projection import job_message, whole_job
from store.adapters.repeats import as_accepted, is_repeat, request_hash, secrets_digest
from store.adapters.upload_use import kept_parameters, kept_uploads, uploads_of
from store.adapters.wakeups import Wakeups
from store.adapters.writes import mover_word
from store.domain.errors import JobNotFound, RequestIdReused
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


def _bind(column: str) -> str:
    return f"new_{column}"


def _create(*, told: bool, uploads: bool, artifacts: bool) -> sa.Select[Any]:
    """The job and its first event; no row where there is a job of this request_id already. *told*:
    a URL is told of it; *uploads*, *artifacts*: such are inputs of it."""
    columns = (
        "job_id", "tenant", "request", "request_id", "request_hash", "model", "prompt", "labels",
        "create_time", "deadline", "rank_time", "state", "revision", "mover", "update_time", "view",
        "redrive_of", "secrets", "secrets_digest",
    )  # fmt: skip
    jobs = t.jobs.c
    values: dict[str, Any] = {
        name: sa.bindparam(_bind(name), type_=jobs[name].type) for name in columns
    }
    if told:
        events = sa.bindparam(_bind("webhook_events"), type_=jobs.webhook_events.type)
        values |= {"webhook_endpoint_id": named_endpoint(), "webhook_events": events}
    written = (
        insert(t.jobs)
        .values(values)
        .on_conflict_do_nothing(index_elements=["tenant", "request_id"])
        .returning(jobs.job_id, jobs.revision, jobs.tenant, jobs.view)
        .cte("written")
    )
    # By Postgres's own clock: from what is not numbered yet the feed tells how current it is, and
    # ours may be ahead.
    event = sa.select(written, CLOCK)
    first_event = (
        sa.insert(t.events)
        .from_select(["job_id", "revision", "tenant", "view", "create_time"], event)
        .returning(t.events.c.job_id)
        .cte("first_event")
    )
    made = sa.select(first_event.c.job_id).add_cte(written)
    if uploads:
        made = made.add_cte(kept_uploads())
    return made.add_cte(kept_artifacts()) if artifacts else made


#: Built once: to build them takes several times as long as to run them.
_CREATE = {
    (told, uploads, artifacts): _create(told=told, uploads=uploads, artifacts=artifacts)
    for told, uploads, artifacts in product((False, True), repeat=3)
}


def _statement(request: job_pb2.JobRequest) -> sa.Select[Any]:
    files = bool(uploads_of(request)), bool(artifacts_of(request))
    return _CREATE[request.HasField("webhook"), *files]


def new_job(
    tenant: str, request: job_pb2.JobRequest, now: datetime, redrive_of: UUID | None = None
) -> Job:
    """A job of *request*, as it is before anything has happened to it."""
    return Job(
        job_id=new_job_id(),
        tenant=tenant,
        create_time=now,
        update_time=now,
        deadline=now + request.timeout.ToTimedelta(),
        redrive_of=redrive_of,
    )


def rank_time(created: datetime, priority: job_pb2.Priority.ValueType) -> datetime:
    """The place in the line of a job that was *created* then."""
    return created + RANK_SHIFT.get(priority, timedelta())


def _row(job: Job, request: job_pb2.JobRequest) -> dict[str, Any]:
    row = {
        "job_id": job.job_id,
        "tenant": job.tenant,
        "request": request.SerializeToString(),
        "request_id": request.request_id or None,
        "request_hash": request_hash(request),
        "model": request.model,
        "prompt": request.prompt or request.title,
        "labels": dict(request.labels),
        "create_time": job.create_time,
        "deadline": job.deadline,
        "rank_time": rank_time(job.create_time, request.priority),
        "state": str(job.state),
        "revision": job.revision,
        "mover": mover_word(job),
        "update_time": job.update_time,
        "view": job_message(job).SerializeToString(),
        "redrive_of": job.redrive_of,
        "secrets": None,
        "secrets_digest": None,
    }
    bound = {_bind(name): value for name, value in row.items()}
    if request.HasField("webhook"):
        bound |= parameters(request)
    if used := uploads_of(request):
        bound |= kept_parameters(used, job.deadline)
    if shown := artifacts_of(request):
        bound |= artifact_parameters(shown, job.deadline)
    return bound


async def insert_job(connection: AsyncConnection, job: Job, request: job_pb2.JobRequest) -> None:
    """Writes a new *job* in a transaction of the caller's. Its request_id must be a new one, and it
    takes no secrets."""
    written = (await connection.execute(_statement(request), _row(job, request))).all()
    assert written, "a request_id made for this job was used before"


class Submissions:
    """Writes new jobs."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups

    async def create(
        self, tenant: str, request: job_pb2.JobRequest, secrets: Struct
    ) -> job_pb2.Job:
        """The job, new or found. RequestIdReused if the one found had another request."""
        job = new_job(tenant, request, self._database.now())
        row = _row(job, request)
        if secrets.fields:
            row[_bind("secrets")] = secrets.SerializeToString()
            row[_bind("secrets_digest")] = await _digest(tenant, request, secrets)
        if not await self._database.rows(_statement(request), row, "create_job"):
            return await self.find(tenant, request, secrets)
        self._wakeups.admitter.set()
        self._wakeups.changed(tenant)
        return whole_job(row[_bind("view")], row[_bind("request")])

    async def find(self, tenant: str, request: job_pb2.JobRequest, secrets: Struct) -> job_pb2.Job:
        """The job that the same request_id made. JobNotFound if there is none; RequestIdReused."""
        jobs = t.jobs.c
        query = sa.select(
            jobs.job_id, jobs.request_hash, jobs.secrets_digest, jobs.view, jobs.request
        ).where(jobs.tenant == tenant, jobs.request_id == request.request_id)
        async with self._database.single() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise JobNotFound(request.request_id, "request_id")
        found = whole_job(row.view, row.request)
        again, hidden = as_accepted(request, secrets, found.request)
        same = row.request_hash == request_hash(again) or is_repeat(found.request, again)
        if not same or row.secrets_digest != await _digest(tenant, request, hidden):
            raise RequestIdReused(request.request_id, row.job_id)
        return found


async def _digest(tenant: str, request: job_pb2.JobRequest, secrets: Struct) -> bytes | None:
    if not secrets.fields:
        return None
    return await asyncio.to_thread(secrets_digest, tenant, request.request_id, secrets)
