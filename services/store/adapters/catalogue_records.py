"""What did the provider say of a model? Recorded, whoever asked: the last one told counts.

Every change makes a new revision of the model, of its versions' too: that is how gateways see that
what they keep of it is old.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.store.v1 import catalogue_service_pb2 as pb
from store.adapters import model_tables as m
from store.adapters.artifact_writes import doom
from store.adapters.catalogue_rows import MODELS, NEXT_REVISION, VERSIONS
from store.adapters.database import CLOCK, Database
from store.domain.failure import clean_text
from store.domain.models import OutputKind, ReadState, is_version, next_look, next_try
from store.domain.output_kinds import output_kind
from store.domain.schemas import Schemas

LONGEST_PROBLEM = 300
LONGEST_DESCRIPTION = 2_000
LONGEST_URL = 2_000
LONGEST_EXAMPLE = 86_400.0

Values = dict[str, Any]


class CatalogueRecords:
    """*refresh*: after how long a model is asked about again."""

    def __init__(self, database: Database, refresh: timedelta) -> None:
        self._database = database
        self._refresh = refresh

    async def found(
        self, name: str, version: str, told: pb.ProviderModel, schemas: Schemas
    ) -> None:
        """The provider knows it, and its document made *schemas*."""
        async with self._database.transaction("record_model") as connection:
            old, now = await _locked(connection, name)
            if old is None:
                await _unused(connection, old, told.cover_object_key, now)
                return
            run = version
            if not version:
                run = "" if told.official else told.version
                values = await _told(connection, old, told, schemas, now) | {"version": run}
                await _write(connection, name, values | self._again(now))
            else:
                await _write(connection, name, {})
            row = {
                "state": str(ReadState.KNOWN),
                "input_schema": schemas.input,
                "output_schema": schemas.output,
                "read_time": now,
                "problem": "",
                "problems": 0,
                "due_time": None,
            }
            made = insert(m.model_versions).values(name=name, version=run, create_time=now, **row)
            keys = ["name", "version"]
            await connection.execute(made.on_conflict_do_update(index_elements=keys, set_=row))

    async def missing(self, name: str, version: str) -> None:
        """The provider has no such model or version."""
        said = {"state": str(ReadState.MISSING), "problem": "", "problems": 0}
        async with self._database.transaction("record_model") as connection:
            old, now = await _locked(connection, name)
            if old is None:
                return
            if version:
                await _write(connection, name, {})
                values = said | {"read_time": now, "due_time": None}
                await connection.execute(_of_version(name, version).values(**values))
                return
            if old["cover_key"]:
                await doom(connection, [old["cover_key"]], now)
            await _write(
                connection, name, said | {"cover_key": None, "cover_source": ""} | self._again(now)
            )

    async def problem(self, name: str, version: str, why: str, cover_key: str = "") -> None:
        """It could not be asked, or what it said can not be used: neither can the cover then."""
        async with self._database.transaction("record_model") as connection:
            old, now = await _locked(connection, name)
            await _unused(connection, old, cover_key, now)
            if old is None:
                return
            problem = clean_text(why, LONGEST_PROBLEM)
            if not version:
                count = old["problems"] + 1
                later = now + next_try(count, random.random())
                values = {"problem": problem, "problems": count, "due_time": later}
                await _write(connection, name, values)
                return
            of_version = (VERSIONS.name == name) & (VERSIONS.version == version)
            query = sa.select(VERSIONS.problems).where(of_version)
            count = ((await connection.execute(query)).scalar_one_or_none() or 0) + 1
            later = now + next_try(count, random.random())
            values = {"problem": problem, "problems": count, "due_time": later}
            await connection.execute(_of_version(name, version).values(**values))

    def _again(self, now: datetime) -> Values:
        due = now + next_look(self._refresh, random.random())
        return {"read_time": now, "problem": "", "problems": 0, "due_time": due}


def unusable(version: str, told: pb.ProviderModel) -> str:
    """Why no job can run what was told, for people; empty if one can."""
    if not version and not told.official and not is_version(told.version):
        return "It has no version that can be run."
    return ""


async def _locked(
    connection: AsyncConnection, name: str
) -> tuple[Mapping[Any, Any] | None, datetime]:
    """The model's row, once this transaction alone may change it. None: it was given up."""
    query = sa.select(m.models).where(MODELS.name == name).with_for_update()
    row = (await connection.execute(query)).mappings().one_or_none()
    now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
    return row, now


async def _write(connection: AsyncConnection, name: str, values: Values) -> None:
    await connection.execute(
        sa.update(m.models).where(MODELS.name == name).values(revision=NEXT_REVISION, **values)
    )


def _of_version(name: str, version: str) -> sa.Update:
    return sa.update(m.model_versions).where(VERSIONS.name == name, VERSIONS.version == version)


async def _told(
    connection: AsyncConnection,
    old: Mapping[Any, Any],
    told: pb.ProviderModel,
    schemas: Schemas,
    now: datetime,
) -> Values:
    kind = OutputKind(old["output_kind"])
    if kind is OutputKind.UNSPECIFIED:  # what was shipped is better than what can be guessed
        kind = output_kind(schemas.input, schemas.output)
    values: Values = {
        "state": str(ReadState.KNOWN),
        "description": clean_text(told.description, LONGEST_DESCRIPTION),
        "official": told.official,
        "output_kind": str(kind),
        "provider_url": clean_text(told.provider_url, LONGEST_URL),
    }
    if told.HasField("example_seconds") and 0 < told.example_seconds < LONGEST_EXAMPLE:
        values["usual_seconds"] = told.example_seconds
    return values | await _cover(connection, old, told, now)


async def _cover(
    connection: AsyncConnection, old: Mapping[Any, Any], told: pb.ProviderModel, now: datetime
) -> Values:
    """The cover that is stored from now on. One that could not be fetched leaves the old one, and
    so does one that is being deleted, since another was told of after it."""
    key = told.cover_object_key or None
    if key is None and told.cover_source:
        return {}
    doomed = sa.select(m.doomed_objects.c.object_key).where(m.doomed_objects.c.object_key == key)
    if key is not None and (await connection.execute(doomed)).one_or_none() is not None:
        return {}
    if old["cover_key"] and old["cover_key"] != key:
        await doom(connection, [old["cover_key"]], now)
    return {
        "cover_key": key,
        "cover_source": clean_text(told.cover_source, LONGEST_URL) if key else "",
    }


async def _unused(
    connection: AsyncConnection, old: Mapping[Any, Any] | None, key: str, now: datetime
) -> None:
    """A worker stored the cover *key*, and no model is to have it."""
    if key and (old is None or old["cover_key"] != key):
        await doom(connection, [key], now)
