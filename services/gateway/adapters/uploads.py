"""How does a file become an input? Its record, its bytes, and then that it is whole.

    the first bytes     is it of a type that is taken?
    BeginUpload         a record that no job can use yet, and the key of the bytes
    object storage      in pieces as they come; what is too long or has another hash is not stored
    CompleteUpload      from here on jobs can use it
Whatever dies on the way leaves a record that nobody can use, and the store removes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import structlog

from gateway.adapters.files import FileClient
from gateway.domain.errors import (
    ArtifactsUnavailable,
    TooManyUploads,
    UploadTooLarge,
    UploadTypeRefused,
    UploadUnfit,
)
from mediagen.v1.input_service_pb2 import Upload
from servicekit.media_types import HEAD_BYTES, is_active, sniff
from servicekit.objects import ObjectDiffers, ObjectStore, ObjectTooLarge, StoreUnavailable
from servicekit.presentation import disposition

log = structlog.get_logger()

#: Seconds that one may take in all, and that are waited for LEAST_BYTES of it.
LONGEST = 600.0
LONGEST_SILENCE = 30.0
# Who sends a byte now and then would hold one of the few places for as long as it likes.
LEAST_BYTES = 16 * 1024
# Each may hold some 30 MiB of parts on their way to a bucket.
MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller says of the file. *length* is None where that is not told."""

    file_name: str = ""
    media_type: str = ""
    sha256: str = ""
    length: int | None = None


class Uploads:
    """Receives files. *types* are patterns such as `image/*`."""

    def __init__(
        self, files: FileClient, objects: ObjectStore, *, most_bytes: int, types: tuple[str, ...]
    ) -> None:
        self._files = files
        self._objects = objects
        self._most_bytes = most_bytes
        self._types = types
        self._under_way = 0

    async def receive(self, tenant: str, said: Said, chunks: AsyncIterator[bytes]) -> Upload:
        """Raises UploadRefused, TooManyUploads, ArtifactsUnavailable, StoreUnavailable, what the
        store says, or what *chunks* raises."""
        if said.length is not None and said.length > self._most_bytes:
            raise UploadTooLarge(self._most_bytes)
        if self._under_way >= MOST_AT_ONCE:
            raise TooManyUploads(MOST_AT_ONCE)
        self._under_way += 1
        try:
            async with asyncio.timeout(LONGEST):
                return await self._receive(tenant, said, chunks)
        except TimeoutError:
            raise UploadUnfit(f"took longer than {LONGEST / 60:.0f} minutes") from None
        finally:
            self._under_way -= 1

    async def _receive(self, tenant: str, said: Said, chunks: AsyncIterator[bytes]) -> Upload:
        live = _never_slow(chunks)
        head = await _head(live)
        if not head:
            raise UploadUnfit("is empty")
        media_type = self._type_of(head[:HEAD_BYTES], said.media_type)
        begun = await self._files.begin_upload(tenant, said.file_name)
        try:
            stored = await self._objects.put_stream(
                begun.object_key,
                _again(head, live),
                content_type=media_type,
                max_bytes=self._most_bytes,
                disposition=disposition(begun.upload_id, media_type, said.file_name),
                sha256=said.sha256,
            )
        except ObjectTooLarge:
            raise UploadTooLarge(self._most_bytes) from None
        except ObjectDiffers:
            raise UploadUnfit("has another SHA-256 than was said") from None
        except StoreUnavailable as error:
            log.warning("upload.unstored", upload_id=begun.upload_id, error=str(error))
            raise ArtifactsUnavailable from error
        upload = await self._files.complete_upload(tenant, begun.upload_id, media_type, stored)
        log.info(
            "upload.stored", upload_id=begun.upload_id, media_type=media_type, size=stored.size
        )
        return upload

    def _type_of(self, head: bytes, declared: str) -> str:
        media_type = sniff(head, declared)
        # A page or a drawing that carries script is not taken, whatever the setting says.
        if is_active(head, declared) or is_active(head, media_type):
            raise UploadTypeRefused("text that a browser may run as a page")
        # What a name made somebody claim, as text/x-python, is no reason against the bytes.
        for each in (media_type, sniff(head)):
            if any(fnmatchcase(each, pattern) for pattern in self._types):
                return each
        raise UploadTypeRefused(media_type)


def too_slow() -> UploadUnfit:
    """What is said of a sender that is not waited for any longer."""
    least, seconds = LEAST_BYTES / 1024, LONGEST_SILENCE
    return UploadUnfit(f"came too slowly: less than {least:.0f} KiB in {seconds:.0f} seconds")


async def _never_slow(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """*chunks*, as long as they come. The time that storing them takes does not count."""
    pieces = aiter(chunks)
    waited, came = 0.0, 0
    while True:
        begin = time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_SILENCE - waited):
                chunk = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise too_slow() from None
        waited += time.monotonic() - begin
        came += len(chunk)
        if came >= LEAST_BYTES:
            waited, came = 0.0, 0
        if chunk:
            yield chunk


async def _head(chunks: AsyncIterator[bytes]) -> bytes:
    """The first bytes: what tells the type, or all there is."""
    head = bytearray()
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return bytes(head)


async def _again(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
