"""Is this a job that its model can run, and what of it is settled by accepting it?

    the model      allowed and known, by its name or one version of it
    the input      as its schema says, every violation at once (domain/model_inputs.py)
    the files      that the input names: there, and what they are
    the secrets    taken out of it, masks in their places
Next: the store's CreateJob, with what was settled beside the request.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import BadRequest

from gateway.adapters.files import FileClient
from gateway.adapters.models import Known, Models
from gateway.domain import inputs
from gateway.domain.errors import GatewayError, ModelUnread
from gateway.domain.file_inputs import FileInput, files_of, of_another_kind
from gateway.domain.inputs import Problem, joined
from gateway.domain.model_inputs import PROMPT, InputSchema
from gateway.rpc.checks import is_model
from gateway.rpc.errors import INVALID_REQUEST
from mediagen.store.v1.catalogue_service_pb2 import ReadModelResponse
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import SubmitJobRequest
from servicekit import secret_inputs, validation
from servicekit.media_types import HEAD_BYTES, sniff
from servicekit.secret_inputs import MASK

# Checking more than this takes a thread, so that other callers need not wait for it.
LARGEST_CHECK_AT_ONCE = 16 * 1024

_REFERENCE_GONE = {
    "upload": ("names no upload that is kept", "UPLOAD_NOT_FOUND"),
    "artifact": ("names no artifact that is kept", "ARTIFACT_NOT_FOUND"),
}


class Settling:
    """Checks requests whose protos' rules are kept."""

    def __init__(self, models: Models, files: FileClient) -> None:
        self._models = models
        self._files = files

    async def settle(
        self,
        tenant: str,
        request: SubmitJobRequest,
        wanted: job_pb2.JobRequest,
        *,
        patience: float = 0.0,
    ) -> Struct:
        """Completes *wanted*, the same request normalized, and takes its secrets out of it: they
        are what is returned. *patience*: seconds that a model which is not known yet is waited for.

        Raises InvalidRequest with every violation, ModelUnread, StoreUnavailable.
        """
        known = await self._known(request.model, patience)
        if known.outcome == ReadModelResponse.OUTCOME_UNREAD:
            raise ModelUnread(request.model, known.problem)
        given = inputs.plain(request.input)
        found = await self._problems(known, request, given)
        files, more = await self._files_of(tenant, known, given)
        if found or more:
            told = [validation.violation(*each) for each in [*found, *more]]
            raise validation.bad_request(told, reason=INVALID_REQUEST)
        assert known.schema is not None
        _, _, version = request.model.partition(":")
        wanted.model_version = version or known.model.version
        wanted.defaults.CopyFrom(_struct(known.schema.left_out(given)))
        wanted.input_files.extend(files)
        wanted.title = known.schema.title(request.prompt, given)
        if PROMPT in known.schema.secrets and wanted.prompt:
            wanted.input.update({PROMPT: wanted.prompt})
            wanted.prompt = ""
        secrets = secret_inputs.hide(wanted.input, known.schema.secrets)
        wanted.secret_inputs.extend(sorted(secrets.fields))
        return secrets

    async def beside(self, tenant: str, request: Message) -> Sequence[BadRequest.FieldViolation]:
        """What is wrong besides, in a request that breaks other rules already. Nobody waits for
        it, and what can not be found out now is not told."""
        if not isinstance(request, SubmitJobRequest) or not is_model(request.model):
            return ()
        given = inputs.plain(request.input)
        if inputs.problems(given):
            return ()
        with suppress(GatewayError, grpc.aio.AioRpcError):
            known = await self._known(request.model, 0.0)
            found = await self._problems(known, request, given)
            if not request.prompt and not given:
                # A rule of the proto has said so already, or the prompt could not be read.
                found = [each for each in found if each.field != PROMPT]
            _, more = await self._files_of(tenant, known, given)
            return [validation.violation(*each) for each in [*found, *more]]
        return ()

    async def _known(self, model: str, patience: float) -> Known:
        name, _, version = model.partition(":")
        return await self._models.look(name, version, patience=patience)

    async def _problems(
        self, known: Known, request: SubmitJobRequest, given: dict[str, Any]
    ) -> list[Problem]:
        if known.schema is None:
            return _of_model(known)
        found = None
        if request.input.ByteSize() <= LARGEST_CHECK_AT_ONCE:
            found = known.schema.problems_at_once(request.prompt, given)
        if found is None:
            found = await asyncio.to_thread(known.schema.problems, request.prompt, given)
        return [*found, *_masked(known.schema, request.prompt, given)]

    async def _files_of(
        self, tenant: str, known: Known, given: Mapping[str, object]
    ) -> tuple[list[job_pb2.InputFile], list[Problem]]:
        """The files that the input names, completed, and what is wrong with them."""
        secrets = known.schema.secrets if known.schema is not None else frozenset()
        shown = {name: value for name, value in given.items() if name not in secrets}
        found, problems = files_of(shown)
        files = [_message(each) for each in found]
        asked = [each for each in files if each.uri]
        if asked:
            answers = await self._files.resolve(tenant, asked)
            for file, answer in zip(asked, answers, strict=True):
                file.CopyFrom(answer)
        for each, file in zip(found, files, strict=True):
            if not file.media_type:
                said, reason = _REFERENCE_GONE[each.uri.partition(":")[0]]
                problems.append(Problem(each.field, said, reason))
            elif unfit := of_another_kind(each, file.media_type):
                problems.append(unfit)
        return files, problems


def _of_model(known: Known) -> list[Problem]:
    """What is wrong with naming this model; nothing if that is not known."""
    near = f"; did you mean {known.similar[0]}?" if known.similar else ""
    match known.outcome:
        case ReadModelResponse.OUTCOME_NOT_ALLOWED:
            said = f"is not a model that may be used here{near}"
            return [Problem("model", said, "MODEL_NOT_ALLOWED")]
        case ReadModelResponse.OUTCOME_MISSING:
            said = f"is no model or version that the provider has{near}"
            return [Problem("model", said, "MODEL_NOT_FOUND")]
    return []


def _masked(schema: InputSchema, prompt: str, given: Mapping[str, object]) -> list[Problem]:
    """Of the secrets that are only the mask of one: it was copied from what a job shows."""
    said = "is the mask that is shown for a secret; type the secret again"
    at = {PROMPT: prompt} if prompt else {}
    return [
        Problem(name if name in at else joined("input", name), said, "SECRET_HIDDEN")
        for name in sorted(schema.secrets)
        if MASK in _texts(at.get(name, given.get(name)))
    ]


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _message(file: FileInput) -> job_pb2.InputFile:
    if file.uri:
        return job_pb2.InputFile(path=file.path, uri=file.uri)
    return job_pb2.InputFile(
        path=file.path,
        media_type=sniff(file.content[:HEAD_BYTES], file.declared_type),
        size_bytes=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
    )


def _struct(values: dict[str, Any]) -> Struct:
    struct: Struct = json_format.ParseDict(values, Struct())
    return struct
