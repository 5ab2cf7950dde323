"""The store's catalogue of models and its records of files, in memory: as their protos say."""

from __future__ import annotations

import time
import uuid
from typing import Any

import grpc
from google.protobuf import json_format

from mediagen.store.v1 import catalogue_service_pb2 as pb2
from mediagen.store.v1 import catalogue_service_pb2_grpc as pb2_grpc
from mediagen.store.v1 import file_service_pb2 as file_pb2
from mediagen.store.v1 import file_service_pb2_grpc as file_pb2_grpc
from mediagen.v1 import error_reason_pb2 as reasons
from mediagen.v1 import input_service_pb2, model_pb2
from tests.fakes.store import refuse

Json = dict[str, Any]
Answer = pb2.ReadModelResponse

#: What the model `a/b` takes, which every fake catalogue has.
INPUTS: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "x-order": 0},
        "steps": {"type": "integer", "minimum": 1, "maximum": 50, "x-order": 1},
        "aspect_ratio": {
            "type": "string", "enum": ["1:1", "16:9", "9:16"], "default": "1:1", "x-order": 2,
        },
        "num_outputs": {
            "type": "integer", "minimum": 1, "maximum": 4, "default": 1, "x-order": 3,
        },
        "seed": {"type": ["integer", "null"], "x-order": 4},
        "image": {"type": ["string", "null"], "format": "uri", "x-order": 5},
        "images": {
            "type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": 10,
            "x-order": 6,
        },
    },
}  # fmt: skip


class FakeCatalogue(pb2_grpc.CatalogueServiceServicer):
    """Models by (name, version). What is not there is not allowed."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        self.seen: list[Any] = []
        self.add("a/b")

    def add(self, name: str, inputs: Json | None = None, *, version: str = "", **more: Any) -> None:
        """A model, or a new revision of it, or with *version* one of its versions."""
        key = (name, version)
        known = self.answers.get(key)
        model = model_pb2.Model(name=name, **{"official": True, **more})
        json_format.ParseDict(INPUTS if inputs is None else inputs, model.input_schema)
        self.answers[key] = Answer(
            outcome=Answer.OUTCOME_FOUND,
            model=model,
            revision=1 if known is None else known.revision + 1,
        )

    def say(self, name: str, outcome: Answer.Outcome.ValueType, **more: Any) -> None:
        """What is to be answered of a model instead."""
        self.answers[name, ""] = Answer(outcome=outcome, **more)

    def reads(self, name: str) -> int:
        """How often it was asked for."""
        asked = [each for each in self.seen if isinstance(each, pb2.ReadModelRequest)]
        return len([each for each in asked if each.name == name])

    async def ReadModel(self, request: Any, context: Any) -> Any:
        self.seen.append(request)
        answer = self.answers.get((request.name, request.version))
        if answer is None:
            return Answer(outcome=Answer.OUTCOME_NOT_ALLOWED, similar_names=["a/b"])
        if answer.outcome == Answer.OUTCOME_FOUND and answer.revision == request.known_revision:
            return Answer(outcome=Answer.OUTCOME_UNCHANGED, revision=answer.revision)
        return answer

    async def ListModels(self, request: Any, context: Any) -> Any:
        self.seen.append(request)
        if request.page_token not in ("", "next"):
            await refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                reasons.ERROR_REASON_PAGE_TOKEN_INVALID,
            )
        answer = pb2.ListModelsResponse(next_page_token="next")
        for (_, version), each in sorted(self.answers.items()):
            if each.outcome == Answer.OUTCOME_FOUND and not version:
                answer.models.add().CopyFrom(each.model)
                answer.models[-1].ClearField("input_schema")
                if each.cover_object_key:
                    answer.covered_names.append(each.model.name)
        return answer

    async def TakeDueModels(self, request: Any, context: Any) -> Any:
        raise NotImplementedError("for workers")

    async def RecordModel(self, request: Any, context: Any) -> Any:
        raise NotImplementedError("for workers")


class FakeUploads(file_pb2_grpc.FileServiceServicer):
    """Records of uploads, and what artifacts the tenant has."""

    def __init__(self) -> None:
        self.begun: dict[str, file_pb2.BeginUploadRequest] = {}
        self.most = 1000
        self.uploads: dict[str, input_service_pb2.Upload] = {}
        #: By their uri: media type, size, hash.
        self.artifacts: dict[str, tuple[str, int, str]] = {}

    async def BeginUpload(self, request: Any, context: Any) -> Any:
        if len(self.begun) >= self.most:
            many = reasons.ERROR_REASON_TOO_MANY_UPLOADS
            await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, many)
        upload_id = str(uuid.uuid4())
        self.begun[upload_id] = request
        return file_pb2.BeginUploadResponse(upload_id=upload_id, object_key=key_of(upload_id))

    async def CompleteUpload(self, request: Any, context: Any) -> Any:
        begun = self.begun[request.upload_id]
        upload = input_service_pb2.Upload(
            upload_id=request.upload_id,
            uri=f"upload:{request.upload_id}",
            file_name=begun.file_name,
            media_type=request.media_type,
            size_bytes=request.size_bytes,
            sha256=request.sha256,
        )
        upload.create_time.FromNanoseconds(time.time_ns())
        upload.expire_time.FromNanoseconds(time.time_ns() + 7 * 86_400 * 10**9)
        self.uploads[request.upload_id] = upload
        return file_pb2.CompleteUploadResponse(upload=upload)

    async def ReadUpload(self, request: Any, context: Any) -> Any:
        upload = self.uploads.get(request.upload_id)
        if upload is None:
            await refuse(context, grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_UPLOAD_NOT_FOUND)
        return file_pb2.ReadUploadResponse(upload=upload, object_key=key_of(request.upload_id))

    async def ResolveInputs(self, request: Any, context: Any) -> Any:
        answer = file_pb2.ResolveInputsResponse()
        for asked in request.files:
            file = answer.files.add()
            file.CopyFrom(asked)
            upload = self.uploads.get(asked.uri.removeprefix("upload:"))
            if upload is not None:
                file.media_type, file.size_bytes = upload.media_type, upload.size_bytes
                file.sha256 = upload.sha256
            elif asked.uri in self.artifacts:
                file.media_type, file.size_bytes, file.sha256 = self.artifacts[asked.uri]
        return answer

    async def TakeDoomedObjects(self, request: Any, context: Any) -> Any:
        raise NotImplementedError("for workers")

    async def RecordDeletedObjects(self, request: Any, context: Any) -> Any:
        raise NotImplementedError("for workers")


def key_of(upload_id: str) -> str:
    """Where the bytes of an upload go."""
    return f"default/uploads/{upload_id}"
