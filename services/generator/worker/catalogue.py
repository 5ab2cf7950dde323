"""How does the catalogue of models come by what the provider says? Only workers can ask it.

    TakeDueModels ─▶ GET the model, or one version ─▶ its cover, small, to storage ─▶ RecordModel
It is never in the way of jobs: few at once, plain reads, and it rests where there is trouble. What
was taken and not recorded is due again after a minute.
"""

from __future__ import annotations

import asyncio

import structlog
from google.protobuf.message import EncodeError

from generator.adapters.endpoint import ProviderError, ProviderRefused
from generator.domain.model_told import ModelTold, model_told, version_told
from generator.domain.values import to_struct
from generator.worker.chores import keep_at
from generator.worker.covers import keep_cover
from generator.worker.parts import Parts
from mediagen.store.v1 import catalogue_service_pb2 as pb
from servicekit.lifecycle import Stop

log = structlog.get_logger()

EVERY = 2.0  #: seconds: somebody may be waiting for a model that was never asked about
LONGEST_REST = 30.0
AT_ONCE = 2
LONGEST_LOOK = 45.0  #: seconds for one model; then others may take it again
LARGEST_SCHEMA = 1024 * 1024


class _Unusable(Exception):
    """What the provider said can not be used; the message is for people."""


async def keep_catalogue(parts: Parts, stop: Stop, every: float = EVERY) -> None:
    """Until *stop*."""
    await keep_at(ask_once, parts, stop, every=every, longest=LONGEST_REST)


async def ask_once(parts: Parts) -> bool:
    """One turn. Whether there may be more that are due now."""
    due = await parts.chores.due_models(
        pb.TakeDueModelsRequest(worker_id=parts.worker_id, limit=AT_ONCE)
    )
    results = await asyncio.gather(*(_ask(parts, each) for each in due), return_exceptions=True)
    for each in results:
        if isinstance(each, BaseException):
            raise each
    return len(due) == AT_ONCE and all(results)


async def _ask(parts: Parts, due: pb.DueModel) -> bool:
    """Whether the provider answered."""
    answer = pb.RecordModelRequest(name=due.name, version=due.version)
    try:
        async with asyncio.timeout(LONGEST_LOOK):
            found = await _found(parts, due)
    except ProviderRefused as error:
        status = error.problem.status
        answer.problem = f"The provider answered {status}."
    except (ProviderError, TimeoutError) as error:
        answer.problem = f"The provider did not answer: {type(error).__name__}."
    except _Unusable as error:
        answer.problem = str(error)
    else:
        if found is None:
            answer.missing = True
        else:
            answer.found.CopyFrom(found)
    await parts.chores.record_model(answer)
    log.info(
        "model.asked", model=due.name, version=due.version, found=answer.HasField("found"),
        problem=answer.problem,
    )  # fmt: skip
    return not answer.problem


async def _found(parts: Parts, due: pb.DueModel) -> pb.ProviderModel | None:
    """None if the provider has no such model or version."""
    owner, _, name = due.name.partition("/")
    if due.version:
        told = await _version(parts, owner, name, due.version)
        return None if told is None else await asyncio.to_thread(_message, told)
    body = await _body(parts, owner, name)
    if body is None:
        return None
    told = model_told(body)
    if told is None:
        raise _Unusable("What the provider says of it can not be read.")
    # In a thread: a schema may be as large as it likes, up to a bound, and heartbeats go on.
    message = await asyncio.to_thread(_message, told)
    # What is told of the cover is what is stored, so that one that failed is fetched again.
    message.cover_source = due.cover_source
    if told.cover_url != due.cover_source:
        message.cover_object_key = await keep_cover(parts, told.cover_url)
        if message.cover_object_key or not told.cover_url:
            message.cover_source = told.cover_url
    return message


async def _version(parts: Parts, owner: str, name: str, version: str) -> ModelTold | None:
    body = await _body(parts, owner, name, version)
    if body is not None:
        told = version_told(body)
        if told is None:
            raise _Unusable("What the provider says of it can not be read.")
        return told
    # Of an official model only the latest version can be read, as a part of the model.
    latest = model_told(await _body(parts, owner, name))
    return latest if latest is not None and latest.version == version else None


async def _body(parts: Parts, owner: str, name: str, version: str = "") -> object:
    """None for a 404."""
    try:
        return await parts.provider.model(owner, name, version)
    except ProviderRefused as error:
        if error.problem.status == 404:
            return None
        raise


def _message(told: ModelTold) -> pb.ProviderModel:
    message = pb.ProviderModel(
        description=told.description,
        official=told.official,
        version=told.version,
        provider_url=told.provider_url,
        example_seconds=told.example_seconds,
    )
    if told.schema is None:
        raise _Unusable("The provider tells no schema of its inputs.")
    try:
        message.openapi_schema.CopyFrom(to_struct(told.schema))
        size = message.openapi_schema.ByteSize()
    except (ValueError, RecursionError, EncodeError) as error:
        raise _Unusable("The schema of its inputs can not be read.") from error
    if size > LARGEST_SCHEMA:
        raise _Unusable(f"The schema of its inputs is larger than {LARGEST_SCHEMA} bytes.")
    return message
