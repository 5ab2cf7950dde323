"""The store's catalogue and files on a real database, without processes, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from mediagen.store.v1 import catalogue_service_pb2 as pb
from mediagen.store.v1 import file_service_pb2 as fb
from mediagen.v1 import input_service_pb2, job_pb2
from store.adapters.catalogue import Catalogue
from store.adapters.catalogue_records import CatalogueRecords
from store.adapters.catalogue_writes import CatalogueWrites
from store.adapters.doomed import DoomedObjects
from store.adapters.recent_runs import RecentRuns
from store.adapters.shipped import shipped
from store.adapters.uploads import InputFiles, Uploads
from store.domain.models import Allowed
from store.loops.retention import Retention
from store.rpc.catalogue import CatalogueService
from store.rpc.files import FileService

from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench

NAME = "some-owner/some-model"
VERSION = "ab" * 32
REFRESH = timedelta(hours=6)
KEPT = timedelta(days=7)
MOST, MOST_BYTES = 5, 100  #: uploads that no job has used
WEEK = timedelta(days=7)


@dataclass
class Shelf:
    """The catalogue and files of a store, in a word each."""

    bench: Bench
    service: CatalogueService
    files: FileService
    writes: CatalogueWrites
    retention: Retention

    async def read(
        self, name: str = NAME, version: str = "", *, known: int = 0, wanted: bool = False
    ) -> pb.ReadModelResponse:
        """The model."""
        request = pb.ReadModelRequest(
            name=name, version=version, known_revision=known, wanted=wanted
        )
        return await self.service.ReadModel(request, NO_CONTEXT)

    async def listed(self, **request: Any) -> pb.ListModelsResponse:
        """A page."""
        asked = pb.ListModelsRequest(**{"page_size": 200} | request)
        return await self.service.ListModels(asked, NO_CONTEXT)

    async def taken(self, limit: int = 20) -> list[tuple[str, str]]:
        """What a worker is given to ask about, by name and version."""
        request = pb.TakeDueModelsRequest(worker_id="worker-1", limit=limit)
        found = await self.service.TakeDueModels(request, NO_CONTEXT)
        return [(each.name, each.version) for each in found.models]

    async def told(self, name: str = NAME, *, asked: str = "", **told: Any) -> None:
        """The provider knows it, or the version that was *asked* about: an official model with a
        prompt and a seed, or as *told*."""
        model = pb.ProviderModel(**{"official": True, "description": "Makes pictures"} | told)
        if not model.HasField("openapi_schema"):
            model.openapi_schema.update(document())
        request = pb.RecordModelRequest(name=name, version=asked, found=model)
        await self.service.RecordModel(request, NO_CONTEXT)

    async def missing(self, name: str = NAME, version: str = "") -> None:
        """The provider has none such."""
        request = pb.RecordModelRequest(name=name, version=version, missing=True)
        await self.service.RecordModel(request, NO_CONTEXT)

    async def in_vain(self, name: str = NAME, version: str = "", why: str = "It is away.") -> None:
        """The provider did not say."""
        request = pb.RecordModelRequest(name=name, version=version, problem=why)
        await self.service.RecordModel(request, NO_CONTEXT)

    async def uploaded(self, content: str = "ab", **said: Any) -> input_service_pb2.Upload:
        """An upload that is complete."""
        begun = await self.begun(**said)
        request = fb.CompleteUploadRequest(
            tenant=TENANT, upload_id=begun.upload_id, media_type="image/png",
            size_bytes=len(content), sha256=content * 32,
        )  # fmt: skip
        return (await self.files.CompleteUpload(request, NO_CONTEXT)).upload

    async def begun(self, file_name: str = "fox.png") -> fb.BeginUploadResponse:
        """An upload whose bytes are not there yet."""
        request = fb.BeginUploadRequest(tenant=TENANT, file_name=file_name)
        return await self.files.BeginUpload(request, NO_CONTEXT)

    async def resolved(self, *uris: str, tenant: str = TENANT) -> list[job_pb2.InputFile]:
        """What these are."""
        request = fb.ResolveInputsRequest(
            tenant=tenant,
            files=[job_pb2.InputFile(path=f"/{n}", uri=uri) for n, uri in enumerate(uris)],
        )
        return list((await self.files.ResolveInputs(request, NO_CONTEXT)).files)

    async def doomed(self, limit: int = 500) -> list[str]:
        """What a worker is given to delete."""
        request = fb.TakeDoomedObjectsRequest(worker_id="worker-1", limit=limit)
        found = await self.files.TakeDoomedObjects(request, NO_CONTEXT)
        return sorted(found.object_keys)

    async def run(self, statement: str, **values: Any) -> list[Any]:
        """A statement of a test's own: its rows."""
        async with self.bench.database.transaction() as connection:
            result = await connection.execute(sa.text(statement), values)
            return list(result.all()) if result.returns_rows else []


def document(**properties: Any) -> dict[str, Any]:
    """A provider's document about a model that takes these inputs, or a prompt and a seed."""
    taken = properties or {
        "prompt": {"type": "string", "x-order": 0},
        "seed": {"type": "integer", "x-order": 1},
    }
    given = {"type": "string", "format": "uri"}
    inputs = {"type": "object", "properties": taken}
    return {"components": {"schemas": {"Input": inputs, "Output": given}}}


@asynccontextmanager
async def shelf_at(
    database_url: str, allowed: str = "*", kept: timedelta | None = WEEK
) -> AsyncIterator[Shelf]:
    """A shelf on *database_url*."""
    async with store_bench(database_url) as bench:
        models = Allowed.of(allowed, (each.name for each in shipped()))
        database = bench.database
        writes = CatalogueWrites(database, models)
        service = CatalogueService(
            Catalogue(database, models, RecentRuns()),
            writes,
            CatalogueRecords(database, REFRESH),
        )
        uploads = Uploads(database, KEPT, MOST, MOST_BYTES)
        files = FileService(uploads, InputFiles(database), DoomedObjects(database))
        retention = Retention(database, bench.store._jobs, kept)
        yield Shelf(bench, service, files, writes, retention)
