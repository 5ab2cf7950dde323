"""What does the catalogue have? One model with its schemas, or a page of those that are allowed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from mediagen.store.v1 import catalogue_service_pb2 as pb
from mediagen.v1 import model_pb2
from store.adapters import model_tables as m
from store.adapters.catalogue_rows import (
    MODELS,
    VERSIONS,
    allowed_names,
    model_message,
    schema_message,
)
from store.adapters.database import CLOCK, Database
from store.adapters.page_tokens import read_name, write_name
from store.adapters.recent_runs import RecentRuns
from store.domain.models import (
    Allowed,
    Outcome,
    OutputKind,
    ReadState,
    is_version,
    outcome,
    similar,
)

MOST_COMPARED: Final = 2_000  #: names that a wrong one is compared with


@dataclass(frozen=True, slots=True)
class Found:
    """One look: the answer, and whether the provider should be asked."""

    answer: pb.ReadModelResponse
    unknown: bool


class Catalogue:
    """Reads it. What is written is in catalogue_writes.py and catalogue_records.py."""

    def __init__(self, database: Database, allowed: Allowed, runs: RecentRuns) -> None:
        self._database = database
        self._runs = runs
        self._allowed = allowed
        self._names = sa.select(MODELS.name).where(
            allowed_names(allowed, MODELS.name), MODELS.state == str(ReadState.KNOWN)
        )

    async def read(self, name: str, version: str, known_revision: int) -> Found:
        """The model, as a job runs that names this *version* or none."""
        if not self._allowed.allows(name):
            return Found(_said(Outcome.NOT_ALLOWED, await self._similar(name)), unknown=False)
        if version and not is_version(version):
            return Found(_said(Outcome.MISSING, []), unknown=False)
        rows = await self._database.rows(_ONE, {"of_name": name, "of_version": version})
        row = rows[0] if rows else None
        # A version alone may be read before its model is.
        known = outcome(_state(row and row.state), _state(row and row.version_state))
        if known is Outcome.MISSING:
            return Found(_said(known, await self._similar(name)), unknown=True)
        if known is Outcome.UNREAD or row is None:
            problem = (row.version_problem or row.problem) if row is not None else ""
            return Found(pb.ReadModelResponse(outcome=_wire(known), problem=problem), unknown=True)
        answer = pb.ReadModelResponse(revision=row.revision, cover_object_key=row.cover_key or "")
        if row.revision == known_revision:
            answer.outcome = _wire(Outcome.UNCHANGED)
            return Found(answer, unknown=False)
        answer.outcome = _wire(known)
        answer.model.CopyFrom(await self._whole(row, version))
        return Found(answer, unknown=False)

    async def _whole(self, row: sa.Row[Any], version: str) -> model_pb2.Model:
        named = f"{row.name}:{version}" if version else row.name
        async with self._database.single() as connection:
            runs = await self._runs.of(connection, [named], row.now)
        model = model_message(row, runs.get(named, ()), version)
        model.input_schema.CopyFrom(schema_message(row.input_schema))
        model.output_schema.CopyFrom(schema_message(row.output_schema))
        return model

    async def _similar(self, name: str) -> Sequence[str]:
        query = self._names.order_by(MODELS.name).limit(MOST_COMPARED)
        names = [row.name for row in await self._database.rows(query, {}) if row.name != name]
        # Thousands of names take tens of milliseconds, which calls need not wait for.
        return await asyncio.to_thread(similar, name, names)

    async def page(
        self, size: int, token: str, query: str, kind: OutputKind
    ) -> pb.ListModelsResponse:
        """At most *size* of those that are known, by name, and the token of the next page."""
        words = json.dumps(["models", query, kind])
        fingerprint = hashlib.sha256(words.encode()).hexdigest()[:16]
        wanted = sa.select(m.models, CLOCK.label("now")).where(
            allowed_names(self._allowed, MODELS.name), MODELS.state == str(ReadState.KNOWN)
        )
        for word in query.split():
            hit = MODELS.name.icontains(word, autoescape=True)
            wanted = wanted.where(hit | MODELS.description.icontains(word, autoescape=True))
        if kind is not OutputKind.UNSPECIFIED:
            wanted = wanted.where(MODELS.output_kind == str(kind))
        if token:
            wanted = wanted.where(MODELS.name > read_name(fingerprint, token))
        rows = await self._database.rows(wanted.order_by(MODELS.name).limit(size + 1), {})
        shown, more = rows[:size], len(rows) > size
        return pb.ListModelsResponse(
            models=await self._briefly(shown),
            next_page_token=write_name(fingerprint, shown[-1].name) if more else "",
            covered_names=[row.name for row in shown if row.cover_key],
        )

    async def _briefly(self, rows: Sequence[sa.Row[Any]]) -> list[model_pb2.Model]:
        if not rows:
            return []
        async with self._database.single() as connection:
            runs = await self._runs.of(connection, [row.name for row in rows], rows[0].now)
        return [model_message(row, runs.get(row.name, ())) for row in rows]


def _state(word: str | None) -> ReadState | None:
    return None if word is None else ReadState(word)


def _wire(found: Outcome) -> pb.ReadModelResponse.Outcome.ValueType:
    return pb.ReadModelResponse.Outcome.Value(f"OUTCOME_{found}")


def _said(found: Outcome, names: Sequence[str]) -> pb.ReadModelResponse:
    return pb.ReadModelResponse(outcome=_wire(found), similar_names=names)


def _one() -> sa.Select[Any]:
    version = sa.bindparam("of_version", type_=sa.Text)
    run = sa.case((version != "", version), else_=MODELS.version)
    joined = m.models.outerjoin(
        m.model_versions, (VERSIONS.name == MODELS.name) & (VERSIONS.version == run)
    )
    return (
        sa.select(
            m.models,
            VERSIONS.state.label("version_state"),
            VERSIONS.problem.label("version_problem"),
            VERSIONS.input_schema,
            VERSIONS.output_schema,
            CLOCK.label("now"),
        )
        .select_from(joined)
        .where(MODELS.name == sa.bindparam("of_name"))
    )


# Built once: to build a statement takes longer than to run it.
_ONE = _one()
