"""How are an artifact's bytes downloaded? With length, ranges and ETag, as RFC 9110 has them."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.adapters.artifacts import Artifacts
from gateway.domain import presentation
from gateway.domain.errors import ArtifactNotFound
from gateway.domain.ranges import wanted
from gateway.rpc.checks import job_id_of
from gateway.rpc.tenants import tenant_of

CHUNK_BYTES = 256 * 1024

_INDEX = re.compile(r"[0-9]{1,5}", re.ASCII)
# An artifact never changes; private, since what a job made is its caller's.
_CACHE = "private, max-age=31536000, immutable"


class Downloads:
    """The handler of GET and HEAD."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def get(self, request: Request) -> Response:
        job_id = job_id_of(request.path_params["job_id"])
        index = request.path_params["index"]
        if not _INDEX.fullmatch(index):
            raise ArtifactNotFound(job_id, index)
        found = await self._artifacts.find(tenant_of(request.headers.items()), job_id, int(index))
        artifact, size = found.artifact, found.artifact.size_bytes
        is_head = request.method == "HEAD"
        part = wanted(request.headers, etag=found.etag, size=size, head=is_head)
        headers = {"etag": found.etag, "cache-control": _CACHE, "accept-ranges": "bytes"}
        if part.status in (304, 412):
            return Response(status_code=part.status, headers=headers)
        if part.status == 416:
            headers["cache-control"] = "no-store"
            return Response(
                status_code=416, headers={**headers, "content-range": f"bytes */{size}"}
            )
        headers |= presentation.headers(job_id, int(index), artifact.media_type)
        headers["content-length"] = str(part.length)
        if part.status == 206:
            headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        if is_head or not part.length:
            return Response(status_code=part.status, headers=headers)
        pieces = self._artifacts.read(found, part.start, part.end, chunk_bytes=CHUNK_BYTES)
        # The first piece before the status line: bytes that are gone must not look like a 200.
        first = await anext(pieces)
        return StreamingResponse(_from(first, pieces), status_code=part.status, headers=headers)


async def _from(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece
