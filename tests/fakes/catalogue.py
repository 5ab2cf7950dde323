"""A ModelService and an InputService in memory, for tests of what calls them."""

from __future__ import annotations

import hashlib
import uuid
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import ParseDict
from google.rpc.status_pb2 import Status

from mediagen.v1 import input_service_pb2 as inputs
from mediagen.v1 import model_service_pb2 as models
from mediagen.v1.input_service_pb2_grpc import (
    InputServiceServicer,
    add_InputServiceServicer_to_server,
)
from mediagen.v1.model_pb2 import Model
from mediagen.v1.model_service_pb2_grpc import (
    ModelServiceServicer,
    add_ModelServiceServicer_to_server,
)
from tests.fakes.refusing import abort, refusal

COVER = b"a cover" * 5000
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["prompt"],
    "additionalProperties": False,
    "properties": {
        "prompt": {"type": "string", "description": "What to paint", "x-order": 0},
        "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": 9999, "x-order": 3},
        "megapixels": {"type": "string", "enum": ["1", "0.25"], "default": "1", "x-order": 2},
        "ratio": {"type": "string", "enum": ["1:1", "16:9"], "default": "1:1", "x-order": 1},
        "raw": {"type": "boolean", "default": False, "x-order": 4},
        "image": {"type": "string", "format": "uri", "x-order": 5},
        "images": {
            "type": "array",
            "items": {"type": "string", "format": "uri"},
            "maxItems": 3,
            "x-order": 6,
        },
        "token": {"type": "string", "x-cog-secret": True, "x-order": 7},
    },
}


class FakeCatalogue(ModelServiceServicer, InputServiceServicer):
    """What the real services promise, of three models."""

    def __init__(self) -> None:
        self.models = {each.name: each for each in _models()}
        self.uploads: dict[str, tuple[inputs.Upload, bytes]] = {}
        self.asked: list[Any] = []
        """Every request that arrived."""
        self.refusals: deque[Status] = deque()
        """What the next calls are answered, one each."""
        self.stores_other_bytes = False

    async def ListModels(
        self, request: models.ListModelsRequest, context: Any
    ) -> models.ListModelsResponse:
        await self._arrived(request, context)
        words = request.query.lower().split()
        found = [
            model
            for model in self.models.values()
            if all(word in f"{model.name} {model.description}".lower() for word in words)
            and (not request.output_kind or model.output_kind == request.output_kind)
        ]
        start, size = int(request.page_token or 0), request.page_size or 50
        answer = models.ListModelsResponse(
            next_page_token=str(start + size) if len(found) > start + size else ""
        )
        for model in found[start : start + size]:
            shown = answer.models.add()
            shown.CopyFrom(model)
            shown.ClearField("input_schema")
        return answer

    async def GetModel(
        self, request: models.GetModelRequest, context: Any
    ) -> models.GetModelResponse:
        await self._arrived(request, context)
        return models.GetModelResponse(model=await self._found(request.name, context))

    async def DownloadModelCover(
        self, request: models.DownloadModelCoverRequest, context: Any
    ) -> AsyncIterator[HttpBody]:
        await self._arrived(request, context)
        await self._found(request.name, context)
        for start in range(0, len(COVER), 16384):
            yield HttpBody(content_type="image/webp", data=COVER[start : start + 16384])

    async def UploadInput(
        self, request_iterator: AsyncIterator[inputs.UploadInputRequest], context: Any
    ) -> inputs.UploadInputResponse:
        first = await anext(request_iterator)
        await self._arrived(first, context)
        data = first.content.data
        async for message in request_iterator:
            data += message.content.data
        digest = hashlib.sha256(data).hexdigest()
        if not data or first.sha256 not in ("", digest):
            await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, "UPLOAD_REFUSED")
        upload = inputs.Upload(
            upload_id=str(uuid.uuid4()),
            file_name=first.file_name,
            media_type=first.content.content_type,
            size_bytes=len(data),
            sha256="0" * 64 if self.stores_other_bytes else digest,
        )
        upload.uri = f"upload:{upload.upload_id}"
        upload.create_time.GetCurrentTime()
        upload.expire_time.FromSeconds(upload.create_time.seconds + 7 * 86400)
        self.uploads[upload.upload_id] = upload, data
        return inputs.UploadInputResponse(upload=upload)

    async def GetUpload(
        self, request: inputs.GetUploadRequest, context: Any
    ) -> inputs.GetUploadResponse:
        await self._arrived(request, context)
        if request.upload_id not in self.uploads:
            upload_id = request.upload_id
            code = grpc.StatusCode.NOT_FOUND
            await _abort(context, code, "UPLOAD_NOT_FOUND", upload_id=upload_id)
        return inputs.GetUploadResponse(upload=self.uploads[request.upload_id][0])

    async def DownloadUpload(
        self, request: inputs.DownloadUploadRequest, context: Any
    ) -> AsyncIterator[HttpBody]:
        await self._arrived(request, context)
        yield HttpBody(data=self.uploads[request.upload_id][1])

    def sync(self) -> None:
        """As if a worker had asked the provider about each."""
        for model in self.models.values():
            model.sync_time.GetCurrentTime()

    async def _arrived(self, request: Any, context: Any) -> None:
        self.asked.append(request)
        if self.refusals:
            await abort(context, self.refusals.popleft())

    async def _found(self, name: str, context: Any) -> Model:
        if name not in self.models:
            await _abort(context, grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND", model=name)
        return self.models[name]


async def _abort(context: Any, code: grpc.StatusCode, reason: str, **metadata: str) -> None:
    await abort(context, refusal(code, reason, **metadata))


def _models() -> list[Model]:
    picture = {
        "name": "fake/picture",
        "description": "Paints what it is told",
        "official": True,
        "output_kind": "OUTPUT_KIND_IMAGE",
        "run_time": {"p50": "2.5s", "p90": "4s", "runs_counted": 12},
        "price": {"usd": 0.003, "unit": "UNIT_OUTPUT"},
        "input_schema": SCHEMA,
    }
    waits = picture | {"name": "fake/waits", "description": "Never begins"}
    film = {
        "name": "fake/film",
        "description": "\u001b[2JFilms \u202egnp what it is told",
        "version": "ab" * 32,
        "output_kind": "OUTPUT_KIND_VIDEO",
        "price": {"usd": 0.018, "unit": "UNIT_OUTPUT_SECOND"},
        "input_schema": {"type": "object", "properties": {"duration": {"enum": [5, 10]}}},
    }
    return [ParseDict(each, Model()) for each in (film, picture, waits)]


def add_to_server(fake: FakeCatalogue, server: grpc.aio.Server) -> None:
    add_ModelServiceServicer_to_server(fake, server)
    add_InputServiceServicer_to_server(fake, server)
