"""Which models is the provider to be asked about? Those whose time has come, and those wanted.

The workers take them (only they have the provider's token) and record what it said
(catalogue_records.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.store.v1 import catalogue_service_pb2 as pb
from store.adapters import model_tables as m
from store.adapters.catalogue_rows import FIRST_REVISION, MODELS, VERSIONS, allowed_names
from store.adapters.catalogue_syncs import last_sync
from store.adapters.database import BEGUN, CLOCK, Database
from store.adapters.shipped import shipped
from store.adapters.shipped_writes import write_shipped
from store.domain.models import FIRST_BACKOFF, Allowed, ReadState, is_version, split

TAKEN_FOR: Final = timedelta(minutes=1)
ASKED_AGAIN: Final = timedelta(minutes=1)  #: at the earliest, of what the provider did not have
MOST_UNKNOWN: Final = 1_000  #: models and versions that are not known
GIVEN_UP_AT_ONCE: Final = 100
#: That callers may add within a minute: each is asked about, and the provider takes only so many
#: calls of us, most of which are for jobs.
MOST_NEW: Final = 120
FULL_FOR: Final = 1.0  # seconds in which it is not counted again


class CatalogueWrites:
    """Any number of replicas write; a row is one's at a time."""

    def __init__(self, database: Database, allowed: Allowed) -> None:
        self._database = database
        self._allowed = allowed
        of_models, of_versions = (allowed_names(allowed, c.name) for c in (MODELS, VERSIONS))
        self._take = _take(of_models)
        self._take_versions = _take_versions(of_versions)
        model, version = sa.exists().where(_DUE, of_models), sa.exists().where(_DUE_V, of_versions)
        self._full_until = 0.0
        self._any_due = sa.select(sa.or_(model, version).label("found"))

    async def begin(self) -> None:
        """The shipped models are there, and those that the setting names are wanted."""
        async with self._database.transaction("seed_models") as connection:
            for each in shipped():
                await write_shipped(connection, each)
            for name in sorted(self._allowed.literal):
                await _wanted(connection, name)

    async def want(self, name: str, version: str) -> str:
        """The provider is to be asked about them soon. Why it is not, for people; else empty."""
        there = False
        if time.monotonic() >= self._full_until:
            async with self._database.transaction("want_model") as connection:
                there = await _wanted(connection, name, most_new=MOST_NEW)
                if there and version:
                    there = await _wanted(connection, name, version, most_new=MOST_NEW)
            if not there:
                self._full_until = time.monotonic() + FULL_FOR
        return "" if there else "Too many models wait to be looked up."

    async def take(self, limit: int) -> list[pb.DueModel]:
        """Models to ask about, those that somebody waits for first. For a minute they are no
        one else's."""
        if not (await self._database.rows(self._any_due, {}))[0].found:
            return []
        async with self._database.transaction("take_due_models") as connection:
            models = (await connection.execute(self._take, {"most": limit})).all()
            left = {"most": limit - len(models)}
            versions = (await connection.execute(self._take_versions, left)).all()
        found = [
            pb.DueModel(name=row.name, cover_source=row.cover_source if row.cover_key else "")
            for row in models
        ]
        return found + [pb.DueModel(name=row.name, version=row.version) for row in versions]

    async def sync(self, names: Sequence[str]) -> tuple[int, datetime, list[str]]:
        """All of the catalogue, or those of *names* that are allowed, are asked about now. How many
        these are, the time, and the names that are none of them. All of it is asked about once in
        ten seconds: whoever wants it in between is told of that time."""
        of_models = allowed_names(self._allowed, MODELS.name)
        async with self._database.transaction("sync_models") as connection:
            if not names and (last := await last_sync(connection)) is not None:
                of_all = sa.select(sa.func.count()).select_from(m.models).where(of_models)
                return (await connection.execute(of_all)).scalar_one(), last, []
            now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
            allowed = [name for name in dict.fromkeys(names) if self._allowed.allows(name)]
            for name in sorted(allowed):
                await _wanted(connection, name)
            due = sa.update(m.models).where(of_models).values(due_time=now)
            if names:
                due = due.where(MODELS.name.in_(allowed))
            found = (await connection.execute(due.returning(MODELS.name))).scalars().all()
        return len(found), now, [name for name in names if name not in found]


async def doubt(connection: AsyncConnection, model: str, version: str, called: datetime) -> None:
    """The provider refused an input for *model* in a call made at *called*: what is known of the
    model may be old. Unless it was read since, it is read again; and so is the *version*, which
    may be gone."""
    name, pinned = split(model)
    run = pinned or version
    key = {"of_name": name, "of_version": run, "called": called}
    await connection.execute(_DOUBT, key)
    if is_version(run):
        await connection.execute(_DOUBT_V, key)


async def _wanted(
    connection: AsyncConnection, name: str, version: str = "", *, most_new: int = MOST_UNKNOWN
) -> bool:
    """There is a row of it that will be asked about soon. False: there are too many."""
    key = {"of_name": name, "of_version": version}
    there, want = (_THERE_V, _WANT_V) if version else (_THERE, _WANT)
    if (await connection.execute(there, key)).one_or_none() is not None:
        await connection.execute(want, key)
        return True
    if not await _room(connection, most_new):
        return False
    await connection.execute(_UNREAD_V if version else _UNREAD, key)
    return True


async def _room(connection: AsyncConnection, most_new: int) -> bool:
    """There is room for one more that is not known. The oldest that are missing make it."""
    found = (await connection.execute(_UNKNOWN)).one()
    if found.new >= most_new:
        return False
    if found.unknown < MOST_UNKNOWN:
        return True
    gone = (await connection.execute(_GIVE_UP_V)).rowcount
    return gone > 0 or (await connection.execute(_GIVE_UP)).rowcount > 0


def _take(allowed: sa.ColumnElement[bool]) -> sa.Update:
    unread = MODELS.state == str(ReadState.UNREAD)
    due: sa.Select[Any] = (
        sa.select(MODELS.name)
        .where(_DUE, allowed)
        .order_by(unread.desc(), MODELS.due_time)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(m.models)
        .where(MODELS.name.in_(due))
        .values(due_time=CLOCK + TAKEN_FOR)
        .returning(MODELS.name, MODELS.cover_source, MODELS.cover_key)
    )


def _take_versions(allowed: sa.ColumnElement[bool]) -> sa.Update:
    due: sa.Select[Any] = (
        sa.select(VERSIONS.name, VERSIONS.version)
        .where(_DUE_V, allowed)
        .order_by(VERSIONS.due_time)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(m.model_versions)
        .where(sa.tuple_(VERSIONS.name, VERSIONS.version).in_(due))
        .values(due_time=CLOCK + TAKEN_FOR)
        .returning(VERSIONS.name, VERSIONS.version)
    )


def _soon(table: sa.Table) -> sa.Update:
    """Somebody waits for it. What is in a worker's hands, or will be within a minute, stays so."""
    c = table.c
    missing = (c.state == str(ReadState.MISSING)) & (c.read_time < CLOCK - ASKED_AGAIN)
    in_vain = (c.state == str(ReadState.UNREAD)) & (c.problems > 0)
    later = sa.or_(c.due_time.is_(None), c.due_time > CLOCK + TAKEN_FOR)
    when = sa.case((missing, CLOCK), else_=CLOCK + FIRST_BACKOFF)
    return sa.update(table).where(later, sa.or_(missing, in_vain)).values(due_time=when)


def _missing(table: sa.Table, *key: sa.Column[Any]) -> sa.Delete:
    oldest = (
        sa.select(*key)
        .where(table.c.state == str(ReadState.MISSING))
        .order_by(table.c.read_time)
        .limit(GIVEN_UP_AT_ONCE)
    )
    return sa.delete(table).where(sa.tuple_(*key).in_(oldest))


def _unknown() -> sa.Select[Any]:
    def counts(table: sa.Table) -> sa.Select[Any]:
        unknown = table.c.state != str(ReadState.KNOWN)
        new = table.c.create_time > CLOCK - timedelta(minutes=1)
        words = {"unknown": unknown, "new": new}
        columns: list[Any] = [sa.func.count().filter(each).label(w) for w, each in words.items()]
        return sa.select(*columns).select_from(table)

    model, version = counts(m.models).subquery(), counts(m.model_versions).subquery()
    both = [(model.c[word] + version.c[word]).label(word) for word in ("unknown", "new")]
    return sa.select(*both).join_from(model, version, sa.true())


_NAME: Final = sa.bindparam("of_name", type_=sa.Text)
_VERSION: Final = sa.bindparam("of_version", type_=sa.Text)
_OF_NAME: Final = MODELS.name == _NAME
_OF_VERSION: Final = (VERSIONS.name == _NAME) & (VERSIONS.version == _VERSION)
_DUE: Final = MODELS.due_time <= BEGUN
_DUE_V: Final = VERSIONS.due_time <= BEGUN
_NEW: Final = {"state": str(ReadState.UNREAD), "create_time": CLOCK, "due_time": CLOCK}
# Built once: to build a statement takes longer than to run it.
_THERE = sa.select(MODELS.name).where(_OF_NAME)
_THERE_V = sa.select(VERSIONS.name).where(_OF_VERSION)
_UNREAD = (
    insert(m.models).values(name=_NAME, revision=FIRST_REVISION, **_NEW).on_conflict_do_nothing()
)
_UNREAD_V = (
    insert(m.model_versions).values(name=_NAME, version=_VERSION, **_NEW).on_conflict_do_nothing()
)
_WANT = _soon(m.models).where(_OF_NAME)
_WANT_V = _soon(m.model_versions).where(_OF_VERSION)
_UNKNOWN = _unknown()
_GIVE_UP = _missing(m.models, MODELS.name)
_GIVE_UP_V = _missing(m.model_versions, VERSIONS.name, VERSIONS.version)
_CALLED: Final = sa.bindparam("called", type_=sa.DateTime(timezone=True))
_DOUBT = (
    sa.update(m.models)
    .where(
        _OF_NAME,
        MODELS.due_time > CLOCK,
        sa.or_(MODELS.read_time.is_(None), MODELS.read_time < _CALLED),
    )
    .values(due_time=CLOCK)
)
_DOUBT_V = (
    sa.update(m.model_versions)
    .where(_OF_VERSION, sa.or_(VERSIONS.read_time.is_(None), VERSIONS.read_time < _CALLED))
    .values(due_time=CLOCK)
)
