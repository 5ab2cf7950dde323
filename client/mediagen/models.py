"""Which models are there, and what does each take?

async for model in client.models.list(query="flux"):
    print(model.name, model.description)
schema = (await client.models.get("black-forest-labs/flux-dev")).input_schema
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, BinaryIO, cast

from mediagen import downloading, requests
from mediagen.connection import Connection
from mediagen.v1 import model_service_pb2 as messages
from mediagen.v1.model_pb2 import Model
from mediagen.v1.model_service_pb2_grpc import ModelServiceStub

if TYPE_CHECKING:
    from mediagen.v1.model_service_pb2_grpc import ModelServiceAsyncStub

# A model that nobody has asked for yet is looked up at the provider before it is answered.
_LOOK_UP_SECONDS = 20.0


class Models:
    """The calls of the model service. `Client.models` is one."""

    def __init__(self, connection: Connection, silence: float) -> None:
        self._connection, self._silence = connection, silence

    async def list(
        self,
        *,
        query: str = "",
        output_kind: Model.OutputKind.ValueType | str | None = None,
        page_size: int = 50,
    ) -> AsyncGenerator[Model, None]:
        """All models that jobs may name, by name, without their schemas, fetched page by page.

        query: only those whose name or description contains each of its words. output_kind:
        "image", "video", "audio", "text", "other".
        """
        token = ""
        while True:
            request = requests.models_request(query, output_kind, page_size, token)
            page: messages.ListModelsResponse = await self._connection.call(
                self._stub.ListModels, request
            )
            for model in page.models:
                yield model
            token = page.next_page_token
            if not token:
                return

    async def get(self, name: str, *, version: str = "") -> Model:
        """One model with its schemas; of a version other than the catalogue's if one is given.

        A model that is allowed and not known yet is looked up: that may take some seconds, and
        Unavailable then asks for patience. Raises InvalidRequest, ModelNotFound.
        """
        request = requests.model_request(name, version)
        answer: messages.GetModelResponse = await self._connection.call(
            self._stub.GetModel, request, shortest_timeout=_LOOK_UP_SECONDS
        )
        return answer.model

    async def download_cover(self, name: str, *, to: str | os.PathLike[str] | BinaryIO) -> None:
        """Stores the picture of a model. Raises ModelNotFound if it has none."""
        request = messages.DownloadModelCoverRequest(name=name)
        source = downloading.Source(self._connection, self._stub.DownloadModelCover, request)
        await downloading.store(to, downloading.Expected(), source, self._silence)

    @property
    def _stub(self) -> ModelServiceAsyncStub:
        return cast("ModelServiceAsyncStub", ModelServiceStub(self._connection.channel))
