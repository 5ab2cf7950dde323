"""What does each method about uploads do? Receive the bytes, and give them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from gateway.adapters import uploads
from gateway.adapters.files import FileClient
from gateway.adapters.stored_files import StoredFiles
from gateway.adapters.uploads import Said, Uploads
from gateway.domain.errors import UploadUnfit
from gateway.rpc.sending import bodies
from gateway.rpc.tenants import tenant_of
from mediagen.v1 import input_service_pb2 as pb2
from mediagen.v1.input_service_pb2_grpc import InputServiceServicer

_UNTIL_CANCELLED = 0.05  # seconds


class InputService(InputServiceServicer):
    """mediagen.v1.InputService. The requests here keep their protos' rules already."""

    def __init__(self, receiving: Uploads, files: FileClient, stored: StoredFiles) -> None:
        self._uploads = receiving
        self._files = files
        self._stored = stored

    async def UploadInput(
        self, requests: AsyncIterator[pb2.UploadInputRequest], context: Any
    ) -> pb2.UploadInputResponse:
        messages = aiter(requests)
        try:
            async with asyncio.timeout(uploads.LONGEST_SILENCE):
                first = await anext(messages)
        except StopAsyncIteration:
            raise UploadUnfit("is empty") from None
        except TimeoutError:
            raise uploads.too_slow() from None
        said = Said(first.file_name, first.content.content_type, first.sha256)
        upload = await self._uploads.receive(_tenant(context), said, _content(first, messages))
        return pb2.UploadInputResponse(upload=upload)

    async def GetUpload(self, request: pb2.GetUploadRequest, context: Any) -> pb2.GetUploadResponse:
        answer = await self._files.read_upload(_tenant(context), request.upload_id)
        return pb2.GetUploadResponse(upload=answer.upload)

    async def DownloadUpload(
        self, request: pb2.DownloadUploadRequest, context: Any
    ) -> AsyncGenerator[HttpBody, None]:
        found = await self._stored.find_upload(_tenant(context), request.upload_id)
        async with aclosing(bodies(self._stored, found)) as pieces:
            async for piece in pieces:
                yield piece


async def _content(
    first: pb2.UploadInputRequest, rest: AsyncIterator[pb2.UploadInputRequest]
) -> AsyncIterator[bytes]:
    yield first.content.data
    async for message in rest:
        yield message.content.data
    # A stream that was broken off ends here like a whole one, and the call is cancelled just after.
    await asyncio.sleep(_UNTIL_CANCELLED)


def _tenant(context: Any) -> str:
    return tenant_of(context.invocation_metadata())
