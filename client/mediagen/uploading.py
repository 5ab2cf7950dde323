"""How do a file's bytes become an input of jobs?

They are sent in pieces, with their SHA-256 ahead of them where it can be known, and checked against
what the service has stored.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import os
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mediagen import errors, retries
from mediagen.connection import Connection
from mediagen.v1.input_service_pb2 import (
    GetUploadRequest,
    GetUploadResponse,
    Upload,
    UploadInputRequest,
    UploadInputResponse,
)
from mediagen.v1.input_service_pb2_grpc import InputServiceStub

if TYPE_CHECKING:
    from mediagen.v1.input_service_pb2_grpc import InputServiceAsyncStub

Source = str | os.PathLike[str] | bytes | AsyncIterable[bytes]
"""A path, bytes, or bytes as they come."""

_PIECE = 256 * 1024
_SECONDS = 600.0


async def upload(
    connection: Connection, source: Source, file_name: str, media_type: str, sha256: str
) -> Upload:
    """The file as stored. What can be read twice is sent again while the server is unavailable."""
    if isinstance(source, AsyncIterable):
        arriving = source
        return await retries.call(
            lambda seconds: _sent(connection, arriving, file_name, media_type, sha256, seconds),
            timeout=_SECONDS,
            retries=0,
            backoff=connection.backoff,
        )
    path = None if isinstance(source, bytes) else Path(source)
    if path is not None:
        file_name = file_name or path.name
        media_type = media_type or mimetypes.guess_type(path.name)[0] or ""
    sha256 = sha256 or await asyncio.to_thread(_digest, source)
    lasting = source
    return await retries.call(
        lambda seconds: _sent(connection, _pieces(lasting), file_name, media_type, sha256, seconds),
        timeout=_SECONDS,
        retries=connection.retries,
        backoff=connection.backoff,
    )


async def get(connection: Connection, upload_id: str) -> Upload:
    """What is known of an upload."""
    stub = cast("InputServiceAsyncStub", InputServiceStub(connection.channel))
    request = GetUploadRequest(upload_id=upload_id)
    answer: GetUploadResponse = await connection.call(stub.GetUpload, request)
    return answer.upload


async def with_uploads(connection: Connection, value: Any) -> Any:
    """*value* as JSON has it: each path in it is uploaded, each Upload named by its uri."""
    if isinstance(value, Upload):
        return value.uri
    if isinstance(value, os.PathLike):
        return (await upload(connection, value, "", "", "")).uri
    if isinstance(value, Mapping):
        return {key: await with_uploads(connection, each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [await with_uploads(connection, each) for each in value]
    return value


async def _sent(
    connection: Connection,
    pieces: AsyncIterable[bytes],
    file_name: str,
    media_type: str,
    sha256: str,
    seconds: float,
) -> Upload:
    digest = hashlib.sha256()

    async def messages() -> AsyncIterator[UploadInputRequest]:
        first = UploadInputRequest(file_name=file_name, sha256=sha256)
        first.content.content_type = media_type
        yield first
        async for piece in pieces:
            for start in range(0, len(piece), _PIECE):
                part = piece[start : start + _PIECE]
                digest.update(part)
                message = UploadInputRequest()
                message.content.data = part
                yield message

    stub = cast("InputServiceAsyncStub", InputServiceStub(connection.channel))
    call = stub.UploadInput(messages(), timeout=seconds, metadata=connection.metadata)
    try:
        answer: UploadInputResponse = await call
    finally:
        call.cancel()
    if answer.upload.sha256 != digest.hexdigest():
        raise errors.UploadBroken("The service has stored other bytes than were sent.")
    return answer.upload


async def _pieces(source: str | os.PathLike[str] | bytes) -> AsyncIterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    file = await asyncio.to_thread(open, source, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()


def _digest(source: str | os.PathLike[str] | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
