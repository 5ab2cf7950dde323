"""What exactly is sent for a job? Its input with its files in it. Free, and before any permit.

    stored files ─▶ read from object storage ─▶ small: data: URLs; large: uploaded, by address
A file that is gone ends the job as INVALID_INPUT; trouble on the way hands it back.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog

from generator.adapters.endpoint import ProviderError, ProviderRefused
from generator.adapters.input_files import MOST_BYTES
from generator.domain import input_files
from generator.domain.fingerprint import PaidCall, paid_call
from generator.domain.values import from_struct
from generator.worker.parts import Parts
from generator.worker.task import HandBack, Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.failure_pb2 import Failure, FailureReason, FieldViolation, RetryAdvice
from servicekit.media_types import extension
from servicekit.objects import InvalidKey, ObjectError, ObjectMissing

log = structlog.get_logger()

_REFUSALS = frozenset({400, 413, 415, 422})  #: of an upload, that mean the file
_TRIES = 2
_LOOK = 0.25
_LEAST_LIFE = 60.0  # seconds that an upload counts, whatever the provider says of it


class Unsendable(Exception):
    """What the job asks for can not be sent, ever."""

    def __init__(self, file: pb.StoredInput, why: str) -> None:
        super().__init__(why)
        field = input_files.field_name(file.file.path)
        self.failure = Failure(
            reason=FailureReason.FAILURE_REASON_INVALID_INPUT,
            message=f"The file of the input {field} can not be sent: {why}",
            retry_advice=RetryAdvice.RETRY_ADVICE_CHANGE_REQUEST,
            field_violations=[FieldViolation(field=field, description=why)],
        )


@dataclass(frozen=True, slots=True)
class Ready:
    """A call, and until when the files that it names are surely there, on time.monotonic()."""

    call: PaidCall
    until: float

    @property
    def stale(self) -> bool:
        return time.monotonic() >= self.until


async def prepare(parts: Parts, task: Task) -> Ready:
    """Raises Unsendable, HandBack."""
    values: Any = from_struct(task.given)
    until = float("inf")
    if task.files:
        values, until = await _while_wanted(parts, task, values)
    call = paid_call(
        task.version, task.prompt, values,
        takes_seed=task.takes_seed, job_id=task.job_id, attempt=task.attempt,
        secrets=task.secret_inputs,
    )  # fmt: skip
    return Ready(call, until)


async def _while_wanted(parts: Parts, task: Task, values: Any) -> tuple[Any, float]:
    """A large file takes a while: a cancel or the deadline does not wait for it."""
    filling = asyncio.create_task(_filled(parts, task, values))
    try:
        async with task.lease.interruptible():
            while not filling.done():
                if task.must_cancel:
                    raise HandBack("it is to end before it was sent", 0.0)
                await asyncio.wait([filling], timeout=_LOOK)
    finally:
        if not filling.done():
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
    return filling.result()


async def _filled(parts: Parts, task: Task, values: Any) -> tuple[Any, float]:
    chosen = input_files.inline([each.file.size_bytes for each in task.files], task.inline_bytes)
    until = float("inf")
    for file, inline in zip(task.files, chosen, strict=True):
        if not file.object_key:
            raise Unsendable(file, "it is no longer kept.")
        try:
            if inline:
                address = input_files.data_url(file.file.media_type, await _read(parts, file))
            else:
                began = time.monotonic()
                given = await _given(parts, task, file)
                # In the second half of its life it is not counted on: the run has to begin first.
                good = max(began + given[1] / 2, time.monotonic() + _LEAST_LIFE)
                address, until = given[0], min(until, good)
        except (ObjectMissing, InvalidKey) as error:
            raise Unsendable(file, "it is no longer kept.") from error
        except ObjectError as error:
            _later(parts, task, f"an input file can not be read: {error}")
        values = input_files.placed(values, file.file.path, address)
    return values, until


async def _read(parts: Parts, file: pb.StoredInput) -> bytes:
    body = b"".join([chunk async for chunk in parts.objects.get_range(file.object_key)])
    if hashlib.sha256(body).hexdigest() != file.file.sha256:
        raise Unsendable(file, "its bytes are not those that were given.")
    return body


async def _given(parts: Parts, task: Task, file: pb.StoredInput) -> tuple[str, float]:
    """Its address at the provider, and how long it is kept there."""
    size, media_type = file.file.size_bytes, file.file.media_type
    if size >= MOST_BYTES:
        raise Unsendable(file, f"it is larger than the {MOST_BYTES} bytes that the provider takes.")
    name = input_files.safe_name(file.file_name, f"input{extension(media_type)}")
    for number in range(1, _TRIES + 1):
        chunks = _exactly(parts.objects.get_range(file.object_key), file)
        try:
            given = await parts.input_files.give(name, media_type, size, chunks)
        except ProviderRefused as error:
            problem = error.problem
            if problem.status in _REFUSALS:
                raise Unsendable(file, "the provider does not take it.") from error
            _later(parts, task, f"the provider refused an input file: {error}", problem.retry_after)
        except ProviderError as error:
            if number == _TRIES:
                _later(parts, task, f"an input file can not be uploaded: {error}")
            log.warning("input.upload_retried", error=str(error))
        else:
            log.info("input.uploaded", path=file.file.path, size=size, kept_seconds=given.kept)
            return given.url, given.kept
    raise AssertionError("unreachable: the last try returns or raises")


async def _exactly(chunks: AsyncIterator[bytes], file: pb.StoredInput) -> AsyncIterator[bytes]:
    """The same chunks, which must be the file that was given: else the form is never ended."""
    digest = hashlib.sha256()
    left = file.file.size_bytes
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            break
        digest.update(chunk)
        yield chunk
    if left or digest.hexdigest() != file.file.sha256:
        raise Unsendable(file, "its bytes are not those that were given.")


def _later(parts: Parts, task: Task, why: str, told: float | None = None) -> NoReturn:
    log.warning("input.not_sent", why=why)
    delay = parts.setbacks.delay(task.job_id, parts.patience.save_again)
    raise HandBack(why, max(delay, told or 0.0))
