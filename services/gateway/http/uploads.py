"""How is a file uploaded over HTTP? Its bytes as the body, what is said of it in the URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import cast

import grpc
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.adapters.uploads import Said, Uploads
from gateway.domain.errors import GatewayError, UploadForm
from gateway.http.reading import metadata_of, only_parameters, timeout_of
from gateway.http.replies import reply
from gateway.rpc.errors import INVALID_REQUEST
from gateway.rpc.pattern_words import PATTERN_WORDS
from gateway.rpc.tenants import tenant_of
from mediagen.v1 import input_service_pb2 as pb2
from mediagen.v1 import input_service_pb2_grpc as pb2_grpc
from servicekit import validation
from servicekit.printing import as_json
from servicekit.validation import InvalidRequest

# Of a refused upload: bytes, and seconds in all and without a byte.
MOST_LET_GO = 256 * 1024 * 1024
LONGEST_LETTING_GO = 30.0
_SILENCE = 5.0


class InputFiles:
    """The handlers; *channel* leads to the gateway's own gRPC server, for what has no bytes."""

    def __init__(self, channel: grpc.aio.Channel, uploads: Uploads) -> None:
        stub = pb2_grpc.InputServiceStub(channel)
        self._stub = cast("pb2_grpc.InputServiceAsyncStub", stub)
        self._uploads = uploads

    async def create(self, request: Request) -> Response:
        body = _Body(request)
        try:
            said = _said(request)
            if said.media_type.startswith("multipart/"):
                raise UploadForm
            tenant = tenant_of(request.headers.items())
            upload = await self._uploads.receive(tenant, said, body.pieces())
        except (GatewayError, InvalidRequest, grpc.aio.AioRpcError):
            await body.let_go()
            raise
        return reply(as_json(upload))

    async def get(self, request: Request) -> Response:
        answer: pb2.GetUploadResponse = await self._stub.GetUpload(
            pb2.GetUploadRequest(upload_id=request.path_params["upload_id"]),
            timeout=timeout_of(request),
            metadata=metadata_of(request),
        )
        return reply(as_json(answer.upload))


class _Body:
    """The bytes as they come."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._ended = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises ClientDisconnect if they break off."""
        while not self._ended:
            message = await self._request.receive()
            if message["type"] == "http.disconnect":
                self._ended = True
                raise ClientDisconnect
            self._ended = not message.get("more_body", False)
            yield message.get("body", b"")

    async def let_go(self) -> None:
        """Takes what still comes, within bounds: a client that is writing, and finds its connection
        closed, never reads why."""
        left = MOST_LET_GO
        with suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(LONGEST_LETTING_GO):
                pieces = self.pieces()
                while left > 0:
                    async with asyncio.timeout(_SILENCE):
                        left -= len(await anext(pieces, b""))
                    if self._ended:
                        return


def _said(request: Request) -> Said:
    """What the URL and the headers say. Raises InvalidRequest with all that is wrong."""
    given = only_parameters(request, "file_name", "sha256")
    message = pb2.UploadInputRequest(**given)
    if found := validation.violations(message, PATTERN_WORDS):
        raise validation.bad_request(found, reason=INVALID_REQUEST)
    length = request.headers.get("content-length")
    return Said(
        message.file_name,
        request.headers.get("content-type", "").partition(";")[0].strip().lower(),
        message.sha256,
        int(length) if length is not None and length.isdecimal() else None,
    )
