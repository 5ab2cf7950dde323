"""CatalogueService: which models jobs may name, and what each takes.

Comes from: a gateway, which checks inputs with it, and a worker, which asks the provider.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from mediagen.store.v1 import catalogue_service_pb2 as pb
from mediagen.store.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer
from mediagen.v1 import model_pb2
from store.adapters.catalogue import Catalogue
from store.adapters.catalogue_records import CatalogueRecords, unusable
from store.adapters.catalogue_writes import CatalogueWrites
from store.domain.models import OutputKind
from store.domain.schema_words import SchemaUnusable
from store.domain.schemas import read_document
from store.rpc.wire import plain_struct

log = structlog.get_logger()

LARGEST_PAGE = 200
MOST_TAKEN = 20


class CatalogueService(CatalogueServiceServicer):
    """Each method is one use case."""

    def __init__(
        self, catalogue: Catalogue, writes: CatalogueWrites, records: CatalogueRecords
    ) -> None:
        self._catalogue = catalogue
        self._writes = writes
        self._records = records

    async def ReadModel(self, request: pb.ReadModelRequest, context: Any) -> pb.ReadModelResponse:
        """Reads one, and has the provider asked about one that is not known."""
        found = await self._catalogue.read(request.name, request.version, request.known_revision)
        if found.unknown and request.wanted:
            problem = await self._writes.want(request.name, request.version)
            found.answer.problem = problem or found.answer.problem
        return found.answer

    async def ListModels(
        self, request: pb.ListModelsRequest, context: Any
    ) -> pb.ListModelsResponse:
        """Reads a page."""
        size = min(max(request.page_size, 1), LARGEST_PAGE)
        number = request.output_kind
        value = model_pb2.Model.OutputKind.DESCRIPTOR.values_by_number.get(number)
        name = value.name.removeprefix("OUTPUT_KIND_") if value is not None else ""
        kind = OutputKind(name) if name in OutputKind.__members__ else OutputKind.UNSPECIFIED
        return await self._catalogue.page(size, request.page_token, request.query, kind)

    async def TakeDueModels(
        self, request: pb.TakeDueModelsRequest, context: Any
    ) -> pb.TakeDueModelsResponse:
        """Gives models to ask about."""
        taken = await self._writes.take(min(max(request.limit, 1), MOST_TAKEN))
        return pb.TakeDueModelsResponse(models=taken)

    async def RecordModel(
        self, request: pb.RecordModelRequest, context: Any
    ) -> pb.RecordModelResponse:
        """What the provider said."""
        name, version = request.name, request.version
        match request.WhichOneof("answer"):
            case "found":
                await self._found(name, version, request.found)
            case "missing":
                await self._records.missing(name, version)
                log.info("model.missing", model=name, version=version)
            case _:
                await self._in_vain(name, version, request.problem)
        return pb.RecordModelResponse()

    async def _found(self, name: str, version: str, told: pb.ProviderModel) -> None:
        if why := unusable(version, told):
            await self._in_vain(name, version, why, told.cover_object_key)
            return
        try:
            # A large document takes tens of milliseconds, which calls need not wait for.
            document = plain_struct(told.openapi_schema)
            schemas = await asyncio.to_thread(read_document, document)
        except SchemaUnusable as error:
            await self._in_vain(name, version, str(error), told.cover_object_key)
            return
        await self._records.found(name, version, told, schemas)
        log.info("model.read", model=name, version=version or told.version)

    async def _in_vain(self, name: str, version: str, why: str, cover_key: str = "") -> None:
        said = why or "The provider did not answer."
        await self._records.problem(name, version, said, cover_key)
        log.warning("model.not_read", model=name, version=version, why=why[:200])
