"""What does each method about models do? Ask the catalogue, and show.

Goes on: the store's CatalogueService, and a worker where nobody has asked the provider yet.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from gateway.adapters.catalogue import CatalogueClient
from gateway.adapters.models import Known, Models
from gateway.adapters.stored_files import StoredFiles
from gateway.domain.errors import ModelNotFound, ModelUnread
from gateway.rpc.sending import bodies
from gateway.rpc.waiting import patience_of
from mediagen.store.v1 import catalogue_service_pb2 as store_pb2
from mediagen.store.v1.catalogue_service_pb2 import ReadModelResponse
from mediagen.v1 import model_pb2
from mediagen.v1 import model_service_pb2 as pb2
from mediagen.v1.model_service_pb2_grpc import ModelServiceServicer

DEFAULT_PAGE, LARGEST_PAGE = 50, 200


class ModelService(ModelServiceServicer):
    """mediagen.v1.ModelService. The requests here keep their protos' rules already."""

    def __init__(
        self, catalogue: CatalogueClient, models: Models, files: StoredFiles, public_url: str
    ) -> None:
        self._catalogue = catalogue
        self._models = models
        self._files = files
        self._public_url = public_url

    async def ListModels(
        self, request: pb2.ListModelsRequest, context: Any
    ) -> pb2.ListModelsResponse:
        page = await self._catalogue.list(
            store_pb2.ListModelsRequest(
                page_size=min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE),
                page_token=request.page_token,
                query=request.query,
                output_kind=request.output_kind,
            )
        )
        covered = frozenset(page.covered_names)
        return pb2.ListModelsResponse(
            models=[self._shown(model, model.name in covered) for model in page.models],
            next_page_token=page.next_page_token,
        )

    async def GetModel(self, request: pb2.GetModelRequest, context: Any) -> pb2.GetModelResponse:
        # Not as submits see it: what a sync has changed is seen at once.
        known = await self._models.fresh(
            request.name, request.version, patience=patience_of(context)
        )
        if known.outcome == ReadModelResponse.OUTCOME_UNREAD:
            raise ModelUnread(request.name, known.problem)
        if known.outcome != ReadModelResponse.OUTCOME_FOUND:
            raise ModelNotFound(request.name, _why_not(known), next(iter(known.similar), ""))
        model = model_pb2.Model()
        model.CopyFrom(known.model)
        return pb2.GetModelResponse(model=self._shown(model, bool(known.cover_key)))

    async def DownloadModelCover(
        self, request: pb2.DownloadModelCoverRequest, context: Any
    ) -> AsyncGenerator[HttpBody, None]:
        found = await self._files.find_cover(request.name)
        async with aclosing(bodies(self._files, found)) as pieces:
            async for piece in pieces:
                yield piece

    def _shown(self, model: model_pb2.Model, covered: bool) -> model_pb2.Model:
        """*model* itself, with what only the gateway knows: its public address."""
        model.cover_url = f"{self._public_url}/api/v1/models/{model.name}/cover" if covered else ""
        return model


def _why_not(known: Known) -> str:
    if known.outcome == ReadModelResponse.OUTCOME_NOT_ALLOWED:
        return "is not a model that may be used here"
    return "is no model or version that the provider has"
