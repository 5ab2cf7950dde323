"""Which dead letters are there? By page, by job, and one after the other to be decided about.

The states of a filter that names none are those that nobody has decided about.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.generator.v1.messages_pb2 import DeadLetter as Message
from mediagen.v1 import attempt_pb2, dead_letter_pb2
from store.adapters import tables as t
from store.adapters.database import CLOCK, Database
from store.adapters.page_tokens import Place, read_token, write_token
from store.adapters.projection import failure_message, timestamp, whole_job
from store.domain.errors import DeadLetterNotFound, PageTokenInvalid
from store.domain.failure import unresolved
from store.domain.states import LetterState

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
UNDECIDED = (LetterState.PARKED, LetterState.DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which dead letters are meant, of every tenant. Unset parts filter nothing."""

    states: tuple[LetterState, ...] = UNDECIDED
    tenant: str = ""
    model: str = ""
    reasons: tuple[str, ...] = ()
    charges: tuple[str, ...] = ()
    since: datetime | None = None
    before: datetime | None = None

    def fingerprint(self, purpose: str) -> str:
        """What a page token is bound to."""
        words = json.dumps(
            [purpose, sorted(self.states), self.tenant, self.model, sorted(self.reasons),
             sorted(self.charges), str(self.since), str(self.before)]
        )  # fmt: skip
        return hashlib.sha256(words.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Turn:
    """The jobs to decide about, oldest first, and whether there are more behind them."""

    begin: Place
    places: tuple[Place, ...]
    more: bool
    fingerprint: str

    def token_after(self, decided: int) -> str:
        """The token to go on with once so many are decided; empty if those were all."""
        if decided == len(self.places) and not self.more:
            return ""
        return write_token(self.fingerprint, (self.begin, *self.places)[decided])


class LetterPages:
    """Reads, each one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: UUID) -> dead_letter_pb2.DeadLetter:
        """The dead letter with its whole job."""
        query = _shown(t.jobs.c.view, t.jobs.c.request).where(t.dead_letters.c.job_id == job_id)
        rows = await self._database.rows(query, {})
        if not rows:
            raise DeadLetterNotFound(job_id)
        letter = _message(rows[0])
        letter.job.CopyFrom(whole_job(rows[0].view, rows[0].request))
        return letter

    async def page(
        self, filter_: LetterFilter, size: int, token: str
    ) -> tuple[list[dead_letter_pb2.DeadLetter], str]:
        """At most *size*, newest first, and the token of the next page."""
        letters, fingerprint = t.dead_letters.c, filter_.fingerprint("list")
        query = _shown().where(*_conditions(filter_))
        if token:
            place = read_token(fingerprint, token)
            query = query.where(_key() < sa.tuple_(place.created, place.job_id))
        query = query.order_by(letters.create_time.desc(), letters.job_id.desc()).limit(size + 1)
        rows = await self._database.rows(query, {})
        found = [_message(row) for row in rows[:size]]
        if len(rows) <= size:
            return found, ""
        last = rows[size - 1]
        return found, write_token(fingerprint, Place(last.create_time, last.job_id))

    async def turn(self, filter_: LetterFilter, purpose: str, most: int, token: str) -> Turn:
        """The next to decide about, of those there were when the first page was asked for.

        A job that is parked or given up again meanwhile is newer than that: it is not decided about
        twice, so going on from token to token comes to an end.
        """
        fingerprint = filter_.fingerprint(purpose)
        if token:
            begin = read_token(fingerprint, token)
        else:
            begin = Place(_EARLIEST, UUID(int=0), await self._database.read_clock())
        if begin.until is None:
            raise PageTokenInvalid
        letters = t.dead_letters.c
        query = (
            sa.select(letters.create_time, letters.job_id)
            .where(*_conditions(filter_), letters.create_time < begin.until)
            .where(_key() > sa.tuple_(begin.created, begin.job_id))
            .order_by(letters.create_time, letters.job_id)
            .limit(most + 1)
        )
        rows = await self._database.rows(query, {})
        found = [Place(row.create_time, row.job_id, begin.until) for row in rows[:most]]
        return Turn(begin, tuple(found), len(rows) > most, fingerprint)


async def state_of(connection: AsyncConnection, job_id: UUID) -> LetterState | None:
    """What has become of the job's dead letter, if it has one. The caller holds the job's lock."""
    query = sa.select(t.dead_letters.c.state).where(t.dead_letters.c.job_id == job_id)
    state = (await connection.execute(query)).scalar_one_or_none()
    return LetterState(state) if state is not None else None


async def discard(connection: AsyncConnection, job_id: UUID) -> None:
    """Nothing is to be done about a job that has failed. The caller holds its lock."""
    await connection.execute(
        sa.update(t.dead_letters)
        .where(t.dead_letters.c.job_id == job_id)
        .values(state=str(LetterState.DISCARDED), resolve_time=CLOCK)
    )


def _key() -> sa.ColumnElement[Any]:
    return sa.tuple_(t.dead_letters.c.create_time, t.dead_letters.c.job_id)


def _conditions(filter_: LetterFilter) -> list[sa.ColumnElement[Any]]:
    letters = t.dead_letters.c
    conditions: list[sa.ColumnElement[Any]] = [letters.state.in_([str(s) for s in filter_.states])]
    if filter_.tenant:
        conditions.append(letters.tenant == filter_.tenant)
    if filter_.model:
        conditions.append(letters.model == filter_.model)
    if filter_.reasons:
        conditions.append(letters.reason.in_(filter_.reasons))
    if filter_.charges:
        conditions.append(letters.charge.in_(filter_.charges))
    if filter_.since:
        conditions.append(letters.create_time >= filter_.since)
    if filter_.before:
        conditions.append(letters.create_time < filter_.before)
    return conditions


def _shown(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    letters, jobs, attempts = t.dead_letters.c, t.jobs.c, t.attempts.c
    calls = (
        sa.select(sa.func.count())
        .where(attempts.tenant == letters.tenant, attempts.job_id == letters.job_id)
        .scalar_subquery()
    )
    return sa.select(
        letters.job_id, letters.tenant, letters.state, letters.model, letters.charge,
        letters.create_time, letters.resolve_time, letters.body, jobs.redriven_as,
        calls.label("attempts"), *more,
    ).join_from(
        t.dead_letters,
        t.jobs,
        (jobs.tenant == letters.tenant) & (jobs.job_id == letters.job_id),
    )  # fmt: skip


def _message(row: sa.Row[Any]) -> dead_letter_pb2.DeadLetter:
    told = Message.FromString(row.body)
    redriven = row.state == LetterState.REDRIVEN
    return dead_letter_pb2.DeadLetter(
        job_id=str(row.job_id),
        tenant=row.tenant,
        state=dead_letter_pb2.DeadLetter.State.Value(f"STATE_{row.state}"),
        model=row.model,
        # Without one: parked before the store kept what it tells.
        failure=told.failure if told.HasField("failure") else failure_message(unresolved()),
        attempt_count=row.attempts,
        charge=attempt_pb2.Charge.Value(f"CHARGE_{row.charge}"),
        create_time=timestamp(row.create_time),
        resolve_time=timestamp(row.resolve_time),
        redriven_as=str(row.redriven_as or row.job_id) if redriven else "",
    )
