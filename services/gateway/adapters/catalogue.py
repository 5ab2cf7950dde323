"""How does the gateway ask the store about models? As StoreClient asks for jobs."""

from __future__ import annotations

from typing import cast

import grpc

from gateway.adapters.answers import answered
from mediagen.store.v1 import catalogue_service_pb2 as pb2
from mediagen.store.v1 import catalogue_service_pb2_grpc as pb2_grpc


class CatalogueClient:
    """The store's CatalogueService; *channel* is the one of `store.open_channel`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = pb2_grpc.CatalogueServiceStub(channel)
        self._stub = cast("pb2_grpc.CatalogueServiceAsyncStub", stub)

    async def read(
        self, name: str, version: str, *, known_revision: int = 0
    ) -> pb2.ReadModelResponse:
        """What is known of it; if that is nothing yet, a worker is to ask the provider."""
        wanted = pb2.ReadModelRequest(
            name=name, version=version, known_revision=known_revision, wanted=True
        )
        answer: pb2.ReadModelResponse = await answered(self._stub.ReadModel(wanted))
        return answer

    async def list(self, wanted: pb2.ListModelsRequest) -> pb2.ListModelsResponse:
        answer: pb2.ListModelsResponse = await answered(self._stub.ListModels(wanted))
        return answer
