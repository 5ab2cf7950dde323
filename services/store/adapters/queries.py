"""What the gateway reads: one job, a page of jobs, a job's revisions, an artifact."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.database import Database
from store.adapters.page_tokens import Place, read_token, write_token
from store.adapters.projection import whole_job
from store.adapters.rows import artifact_of
from store.domain.errors import ArtifactDeleted, ArtifactNotFound, JobNotFound
from store.domain.job import Artifact
from store.domain.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which jobs of a tenant to list. Unset parts filter nothing."""

    tenant: str
    states: tuple[State, ...] = ()
    model: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    prompt_contains: str = ""
    active_since: datetime | None = None

    def fingerprint(self) -> str:
        """What a page token is bound to."""
        words = json.dumps(
            [self.tenant, sorted(self.states), self.model, sorted(self.labels),
             str(self.since), str(self.before), self.prompt_contains, str(self.active_since)]
        )  # fmt: skip
        return hashlib.sha256(words.encode()).hexdigest()[:16]


PAGE_BYTES = 2 << 20  #: a page is cut rather than refused as too large a message
REQUESTS_BYTES = 4 << 20


def _within(query: sa.Select[Any], limit: int) -> sa.Select[Any]:
    """The rows of *query*, newest first, while those before them are not longer than *limit*."""
    page = query.subquery()
    newest_first = (page.c.create_time.desc(), page.c.job_id.desc())
    length = sa.func.octet_length(page.c.view) + sa.func.octet_length(page.c.request)
    before = sa.func.coalesce(sa.func.sum(length).over(order_by=newest_first, rows=(None, -1)), 0)
    measured = sa.select(
        page, before.label("before"), sa.func.count().over().label("found")
    ).subquery()
    return (
        sa.select(measured)
        .where(measured.c.before <= limit)
        .order_by(measured.c.create_time.desc(), measured.c.job_id.desc())
    )


# Built once: to build a statement takes longer than to run it.
_JOB = sa.select(t.jobs.c.view, t.jobs.c.request).where(
    t.jobs.c.job_id == sa.bindparam("of_job"), t.jobs.c.tenant == sa.bindparam("of_tenant")
)


def _requests() -> sa.Select[Any]:
    jobs = t.jobs.c
    length = sa.func.octet_length(jobs.request)
    before = sa.func.coalesce(sa.func.sum(length).over(order_by=jobs.job_id, rows=(None, -1)), 0)
    found = (
        sa.select(jobs.job_id, jobs.request, before.label("before"))
        .where(
            jobs.tenant == sa.bindparam("of_tenant"),
            jobs.job_id == sa.any_(sa.bindparam("of_jobs", type_=ARRAY(sa.Uuid))),
        )
        .subquery()
    )
    return sa.select(found.c.job_id, found.c.request).where(found.c.before <= REQUESTS_BYTES)


_REQUESTS = _requests()


class Queries:
    """Reads, each one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def job(self, tenant: str, job_id: UUID) -> job_pb2.Job:
        """The whole job."""
        key = {"of_tenant": tenant, "of_job": job_id}
        rows = await self._database.rows(_JOB, key)
        if not rows:
            raise JobNotFound(job_id)
        return whole_job(rows[0].view, rows[0].request)

    async def page(self, filter_: Filter, size: int, token: str) -> tuple[list[job_pb2.Job], str]:
        """At most *size* jobs, newest first, and the token of the next page."""
        jobs = t.jobs.c
        query = (
            sa.select(jobs.view, jobs.request, jobs.create_time, jobs.job_id)
            .where(*_conditions(filter_))
            .order_by(jobs.create_time.desc(), jobs.job_id.desc())
            .limit(size + 1)
        )
        if token:
            place = read_token(filter_.fingerprint(), token)
            query = query.where(
                sa.tuple_(jobs.create_time, jobs.job_id) < sa.tuple_(place.created, place.job_id)
            )
        async with self._database.single() as connection:
            rows = (await connection.execute(_within(query, PAGE_BYTES))).all()
        found = [whole_job(row.view, row.request) for row in rows[:size]]
        more = bool(rows) and rows[0].found > len(found)
        last = rows[len(found) - 1] if more else None
        if last is None:
            return found, ""
        return found, write_token(filter_.fingerprint(), Place(last.create_time, last.job_id))

    async def requests(self, tenant: str, job_ids: list[UUID]) -> dict[str, job_pb2.JobRequest]:
        """What was asked for, of those that there are: of the first of them, if they are long."""
        rows = await self._database.rows(_REQUESTS, {"of_tenant": tenant, "of_jobs": job_ids})
        return {str(row.job_id): job_pb2.JobRequest.FromString(row.request) for row in rows}

    async def revisions(
        self, tenant: str, job_id: UUID, after: int, limit: int
    ) -> tuple[job_pb2.Job, list[job_pb2.Job]]:
        """The whole job and its revisions behind *after*, as of one instant."""
        events, jobs = t.events.c, t.jobs.c
        now = sa.select(sa.literal(0).label("revision"), jobs.view, jobs.request).where(
            jobs.job_id == job_id, jobs.tenant == tenant
        )
        past = (
            sa.select(events.revision, events.view, sa.cast(sa.null(), BYTEA).label("request"))
            .where(events.tenant == tenant, events.job_id == job_id, events.revision > after)
            .order_by(events.revision)
            .limit(limit if after else 0)
        )
        both = sa.union_all(now, past.subquery().select()).subquery()
        async with self._database.single() as connection:
            query = sa.select(both).order_by(both.c.revision)
            rows = (await connection.execute(query)).all()
        if not rows or rows[0].request is None:
            raise JobNotFound(job_id)
        whole = whole_job(rows[0].view, rows[0].request)
        return whole, [job_pb2.Job.FromString(row.view) for row in rows[1:]]

    async def artifact(self, tenant: str, job_id: UUID, index: int) -> Artifact:
        """The artifact. ArtifactDeleted if it was kept long enough."""
        query = (
            sa.select(t.artifacts, t.jobs.c.job_id.label("owner"))
            .select_from(
                t.jobs.outerjoin(
                    t.artifacts,
                    (t.artifacts.c.tenant == t.jobs.c.tenant)
                    & (t.artifacts.c.job_id == t.jobs.c.job_id)
                    & (t.artifacts.c.index == index),
                )
            )
            .where(t.jobs.c.job_id == job_id, t.jobs.c.tenant == tenant)
        )
        async with self._database.single() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise JobNotFound(job_id)
        if row["object_key"] is None:
            raise ArtifactNotFound(job_id, index)
        artifact = artifact_of(row)
        if artifact.delete_time is not None:
            raise ArtifactDeleted(job_id, index)
        return artifact


def _conditions(filter_: Filter) -> list[sa.ColumnElement[Any]]:
    jobs = t.jobs.c
    conditions: list[sa.ColumnElement[Any]] = [jobs.tenant == filter_.tenant]
    if filter_.states:
        conditions.append(jobs.state.in_([str(state) for state in filter_.states]))
    if filter_.model:
        conditions.append(jobs.model == filter_.model)
    if filter_.labels:
        conditions.append(jobs.labels.contains(dict(filter_.labels)))
    if filter_.since:
        conditions.append(jobs.create_time >= filter_.since)
    if filter_.before:
        conditions.append(jobs.create_time < filter_.before)
    if filter_.active_since:
        conditions.append(jobs.job_id.in_(_active(filter_.tenant, filter_.active_since)))
    if filter_.prompt_contains:
        conditions.append(jobs.prompt.icontains(filter_.prompt_contains, autoescape=True))
    return conditions


def _active(tenant: str, since: datetime) -> sa.CompoundSelect[Any]:
    """What is not final, and what ended since: each by the index, however long the history."""
    jobs = t.jobs.alias("active").c
    of_tenant = sa.select(jobs.job_id).where(jobs.tenant == tenant)
    return sa.union_all(
        of_tenant.where(jobs.end_time.is_(None)), of_tenant.where(jobs.end_time >= since)
    )
