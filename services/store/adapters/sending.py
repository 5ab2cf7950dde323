"""What does a worker need to send a job's call? The version, whether a seed, the files' keys."""

from __future__ import annotations

import time
from typing import Any, Final

import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import job_pb2
from store.adapters import model_tables as m
from store.adapters.artifact_use import OF_ARTIFACT
from store.adapters.catalogue_rows import MODELS, VERSIONS
from store.adapters.database import Database
from store.adapters.upload_use import SCHEME
from store.adapters.uploads import InputFiles
from store.domain.models import split, takes_seed

KEPT = 5.0  #: seconds for which it is known whether a model takes a seed
MOST_KEPT = 1_000


class Sending:
    """Looks it up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inputs = InputFiles(database)
        self._seeds: dict[tuple[str, str], tuple[float, bool]] = {}

    async def add(self, claimed: pb.ClaimJobResponse) -> None:
        """Completes the answer to a claim."""
        name, pinned = split(claimed.request.model)
        version = claimed.request.model_version or pinned
        claimed.provider_version = version or name
        claimed.takes_seed = await self._takes_seed(name, version)
        stored = [
            each for each in claimed.request.input_files
            if each.uri.startswith((SCHEME, OF_ARTIFACT))
        ]  # fmt: skip
        if stored:
            claimed.stored_inputs.extend(await self._keys(claimed.tenant, stored))

    async def _keys(self, tenant: str, files: list[job_pb2.InputFile]) -> list[pb.StoredInput]:
        found = await self._inputs.find(tenant, [each.uri for each in files])
        return [
            pb.StoredInput(
                file=each,
                object_key=found[each.uri].object_key if each.uri in found else "",
                file_name=found[each.uri].file_name if each.uri in found else "",
            )
            for each in files
        ]

    async def _takes_seed(self, name: str, version: str) -> bool:
        key, now = (name, version), time.monotonic()
        until, known = self._seeds.get(key, (0.0, False))
        if now < until:
            return known
        rows = await self._database.rows(_SEED, {"of_name": name, "of_version": version})
        known = bool(rows) and takes_seed(rows[0].seed)
        if len(self._seeds) >= MOST_KEPT:
            self._seeds.clear()
        self._seeds[key] = (now + KEPT, known)
        return known


def _seed() -> sa.Select[Any]:
    version = sa.bindparam("of_version", type_=sa.Text)
    run = sa.case((version != "", version), else_=MODELS.version)
    seed = VERSIONS.input_schema["properties"]["seed"].label("seed")
    both = (VERSIONS.name == MODELS.name) & (VERSIONS.version == run)
    return (
        sa.select(seed)
        .select_from(m.models.join(m.model_versions, both))
        .where(MODELS.name == sa.bindparam("of_name"))
    )


# Built once: to build a statement takes longer than to run it.
_SEED: Final = _seed()
