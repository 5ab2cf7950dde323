"""Where do bytes lie that are too large for a message? In a folder, a bucket, or (tests) memory.

An object is written once: `put_stream` never overwrites. Content type, size and hash belong in the
caller's own records, as a plain folder keeps no attributes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore import exceptions as failures
from obstore.store import LocalStore, MemoryStore

from servicekit import failpoints
from servicekit.buckets import s3_store
from servicekit.object_errors import (
    InvalidKey,
    ObjectDiffers,
    ObjectError,
    ObjectExists,
    ObjectMissing,
    ObjectTooLarge,
    StoreUnavailable,
    translated,
)
from servicekit.object_source import Source
from servicekit.unfinished import STAGED, delete_unfinished

if TYPE_CHECKING:
    from obstore import GetOptions

__all__ = [
    "CHUNK_BYTES",
    "InvalidKey",
    "ObjectDiffers",
    "ObjectError",
    "ObjectExists",
    "ObjectHead",
    "ObjectMissing",
    "ObjectStore",
    "ObjectTooLarge",
    "StoreUnavailable",
    "StoredObject",
    "open_store",
]

log = structlog.get_logger()

#: The steps of a write (failpoints.py): in one request, or in parts and then under its name.
WRITES = ("put_object", "put_parts", "name_object")
DELETES = ("delete_object", "delete_unfinished")
CHUNK_BYTES = 256 * 1024
# Up to here an object is one request, which every store can refuse if the key exists.
_WHOLE_BYTES = 8 * 1024 * 1024
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_KEY = re.compile(r"[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*(/[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*)*")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What was written: *size* in bytes, *sha256* in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """An object without its bytes; *modified_at* in Unix seconds."""

    key: str
    size: int
    etag: str | None
    modified_at: float


class ObjectStore:
    """Objects under one URL. Safe for concurrent use; make one per process with `open_store`."""

    def __init__(
        self,
        store: Any,
        *,
        keeps_attributes: bool,
        renames: bool,
        signs: bool = False,
        folder: Path | None = None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._keeps_attributes = keeps_attributes
        self._renames = renames
        #: `sign` gives URLs.
        self.signs = signs

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str,
        max_bytes: int,
        disposition: str = "",
        sha256: str = "",
    ) -> StoredObject:
        """Stores *chunks* under *key*, atomically: readers see all of it or nothing.

        *content_type* and *disposition* are headers for who reads it by a signed URL, *sha256* what
        the bytes must have. Raises ObjectExists, ObjectTooLarge, ObjectDiffers, StoreUnavailable,
        or what *chunks* raises.
        """
        _check(key)
        source = Source(key, chunks, max_bytes, sha256)
        options: dict[str, Any] = {}
        if self._keeps_attributes:
            options["attributes"] = {"Content-Type": content_type}
            if disposition:
                options["attributes"]["Content-Disposition"] = disposition
        first = await source.take(_WHOLE_BYTES)
        async with translated(key, source):
            if source.exhausted:
                with failpoints.around("put_object"):
                    await obstore.put_async(
                        self._store, key, first, mode="create", use_multipart=False, **options
                    )
            else:
                await self._put_large(key, source.all(first), options)
        return StoredObject(source.size, source.hash.hexdigest())

    async def _put_large(
        self, key: str, chunks: AsyncIterator[bytes], options: dict[str, Any]
    ) -> None:
        """In parts. No store makes a multipart write conditional: a folder gets a name of its own
        first and a rename that refuses; in a bucket the look before is all there is."""
        if await self._exists(key):
            raise ObjectExists(f"An object has the key {key} already.")
        parts: dict[str, Any] = {
            "use_multipart": True,
            "chunk_size": _PART_BYTES,
            "max_concurrency": _PARTS_AT_ONCE,
            **options,
        }
        if not self._renames:
            with failpoints.around("put_parts"):
                await obstore.put_async(self._store, key, chunks, **parts)
            return
        staged = f"{key}.{STAGED}-{secrets.token_hex(4)}"
        try:
            with failpoints.around("put_parts"):
                await obstore.put_async(self._store, staged, chunks, **parts)
            with failpoints.around("name_object"):
                await obstore.rename_async(self._store, staged, key, overwrite=False)
        except BaseException:
            with suppress(Exception):
                await obstore.delete_async(self._store, staged)
            raise

    async def get_range(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes [start, end), to the object's end without *end*, in pieces ≤ 256 KiB.

        A *start* at or beyond the object's end gives nothing.
        """
        _check(key)
        if end is not None and end <= start:
            return
        options: GetOptions = {}
        if end is not None:
            options["range"] = (start, end)
        elif start:
            options["range"] = {"offset": start}
        async with translated(key):
            try:
                answer = await obstore.get_async(self._store, key, options=options)
            except failures.BaseError:
                if start >= (await self.head(key)).size:
                    return
                raise
            async for buffer in answer.stream(min_chunk_size=CHUNK_BYTES):
                view = memoryview(buffer)
                for at in range(0, len(view), CHUNK_BYTES):
                    yield bytes(view[at : at + CHUNK_BYTES])

    async def head(self, key: str) -> ObjectHead:
        """Size and age of the object. Raises ObjectMissing."""
        _check(key)
        async with translated(key):
            return _head(await obstore.head_async(self._store, key))

    async def delete(self, key: str) -> None:
        """The object is gone, or was not there. Raises StoreUnavailable."""
        _check(key)
        async with translated(key):
            with failpoints.around("delete_object"), suppress(FileNotFoundError):
                await obstore.delete_async(self._store, key)

    async def delete_unfinished(self, age: timedelta) -> int:
        """What killed writers have left, and nobody has written to for *age*, is gone. How many
        files that were: only a folder keeps any."""
        return await delete_unfinished(self._folder, age) if self._folder is not None else 0

    async def sign(self, key: str, lifetime: timedelta) -> str:
        """A URL by which anybody can GET the object for *lifetime*. Only where it `signs`."""
        _check(key)
        async with translated(key):
            url: str = await obstore.sign_async(self._store, "GET", key, lifetime)
        return url

    async def list(self, prefix: str = "") -> AsyncIterator[ObjectHead]:
        """Every object under the folder *prefix*, in no particular order."""
        async with translated(prefix):
            async for page in obstore.list(self._store, prefix or None, chunk_size=500):
                for each in page:
                    yield _head(each)

    async def check(self) -> None:
        """Raises StoreUnavailable unless the store answers. For Health."""
        await self._exists("health-probe")

    async def _exists(self, key: str) -> bool:
        try:
            await self.head(key)
        except ObjectMissing:
            return False
        return True


def _check(key: str) -> None:
    if not _KEY.fullmatch(key) or len(key) > 900:
        raise InvalidKey(f"Not a usable key: {key[:100]!r}.")


def _head(meta: Any) -> ObjectHead:
    return ObjectHead(meta["path"], meta["size"], meta["e_tag"], meta["last_modified"].timestamp())


def open_store(url: str) -> ObjectStore:
    """The store at file:///folder (made if missing), s3://bucket/prefix or memory://.

    S3 takes the usual AWS_* variables (AWS_ENDPOINT_URL for a look-alike). Raises ValueError.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if not parts.netloc and parts.path.strip("/"):
            folder = Path(unquote(parts.path))
            store = LocalStore(folder, mkdir=True)
            return ObjectStore(store, keeps_attributes=False, renames=True, folder=folder)
        case "memory":
            return ObjectStore(MemoryStore(), keeps_attributes=True, renames=True)
        case "s3" if parts.netloc:
            return ObjectStore(
                s3_store(parts.netloc, parts.path),
                keeps_attributes=True,
                renames=False,
                signs=True,
            )
    raise ValueError("expected file:///folder, s3://bucket/prefix or memory://")
