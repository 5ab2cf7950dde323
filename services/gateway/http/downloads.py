"""How are a file's bytes downloaded? With length, ranges, digest and ETag, as RFC 9110 has them.

Where artifacts lie in a bucket and ARTIFACT_REDIRECTS says so, GET leads there by a signed URL.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.adapters.stored_files import Stored, StoredFiles
from gateway.domain.errors import ArtifactNotFound, ModelNotFound
from gateway.domain.ranges import wanted
from gateway.rpc.checks import is_model, job_id_of
from gateway.rpc.tenants import tenant_of
from servicekit import presentation

CHUNK_BYTES = 256 * 1024

_INDEX = re.compile(r"[0-9]{1,5}", re.ASCII)
# What never changes under its URL; private, since what a job made is its caller's.
_FOR_EVER = "private, max-age=31536000, immutable"
_FOR_A_WHILE = "private, max-age=300"


class Downloads:
    """The handlers of GET and HEAD. *redirects*: artifacts are had from their bucket."""

    def __init__(self, files: StoredFiles, *, redirects: bool = False) -> None:
        self._files = files
        self._redirects = redirects

    async def artifact(self, request: Request) -> Response:
        job_id, index = _artifact_of(request)
        found = await self._files.find(tenant_of(request.headers.items()), job_id, index)
        answer = await self._answer(request, found, _FOR_EVER)
        # The policy of our own page lets it load nothing from elsewhere, and be led nowhere else.
        own = request.headers.get("sec-fetch-site") == "same-origin"
        bytes_wanted = request.method != "HEAD" and answer.status_code in (200, 206)
        if not self._redirects or own or not bytes_wanted:
            return answer
        return await self._redirect(found) or answer

    async def preview(self, request: Request) -> Response:
        job_id, index = _artifact_of(request)
        found = await self._files.find_preview(tenant_of(request.headers.items()), job_id, index)
        return await self._answer(request, found, _FOR_EVER)

    async def upload(self, request: Request) -> Response:
        upload_id = request.path_params["upload_id"]
        found = await self._files.find_upload(tenant_of(request.headers.items()), upload_id)
        return await self._answer(request, found, _FOR_A_WHILE)

    async def cover(self, request: Request) -> Response:
        name = f"{request.path_params['owner']}/{request.path_params['name']}"
        if not is_model(name):
            raise ModelNotFound(name[:200], "is not the name of a model")
        return await self._answer(request, await self._files.find_cover(name), _FOR_A_WHILE)

    async def _redirect(self, found: Stored) -> Response | None:
        """To the bucket, which takes ranges too. Not what a browser could run as a page of it."""
        if presentation.is_active_type(found.media_type):
            return None
        url = await self._files.signed(found)
        if url is None:
            return None
        return Response(
            status_code=307,
            headers={"location": url, "cache-control": "no-store", "content-length": "0"},
        )

    async def _answer(self, request: Request, found: Stored, cache: str) -> Response:
        size = found.size
        is_head = request.method == "HEAD"
        part = wanted(request.headers, etag=found.etag, size=size, head=is_head)
        headers = {"etag": found.etag, "cache-control": cache, "accept-ranges": "bytes"}
        if part.status in (304, 412):
            return Response(status_code=part.status, headers=headers)
        if part.status == 416:
            headers["cache-control"] = "no-store"
            return Response(
                status_code=416, headers={**headers, "content-range": f"bytes */{size}"}
            )
        headers |= presentation.headers(found.stem, found.media_type, found.file_name)
        headers["content-length"] = str(part.length)
        if found.sha256:
            digest = base64.b64encode(bytes.fromhex(found.sha256)).decode()
            headers["repr-digest"] = f"sha-256=:{digest}:"
        if part.status == 206:
            headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        if is_head or not part.length:
            return Response(status_code=part.status, headers=headers)
        pieces = self._files.read(found, part.start, part.end, chunk_bytes=CHUNK_BYTES)
        # The first piece before the status line: bytes that are gone must not look like a 200.
        first = await anext(pieces)
        return StreamingResponse(_from(first, pieces), status_code=part.status, headers=headers)


def _artifact_of(request: Request) -> tuple[str, int]:
    job_id = job_id_of(request.path_params["job_id"])
    index = request.path_params["index"]
    if not _INDEX.fullmatch(index):
        raise ArtifactNotFound(job_id, index)
    return job_id, int(index)


async def _from(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece
