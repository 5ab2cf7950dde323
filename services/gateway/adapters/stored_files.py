"""Where do the bytes of a file come from? Its record from the store, the bytes from object storage.

Four kinds: artifacts of jobs, their previews, uploads, covers of models.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from gateway.adapters.files import FileClient
from gateway.adapters.models import Models
from gateway.adapters.store import StoreClient
from gateway.domain.errors import (
    ArtifactNotFound,
    ArtifactsUnavailable,
    GatewayError,
    ModelNotFound,
    UploadNotFound,
)
from servicekit.media_types import HEAD_BYTES, UNKNOWN, sniff
from servicekit.objects import InvalidKey, ObjectMissing, ObjectStore, StoreUnavailable

log = structlog.get_logger()

#: How long a signed URL leads to the bytes.
SIGNED_FOR = timedelta(minutes=5)
_MOST_COVERS = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes in object storage and what is known of them. *etag* is quoted."""

    key: str
    size: int
    media_type: str
    etag: str
    #: For a name to save it under, without an extension.
    stem: str
    #: What is said when the bytes are gone.
    gone: Callable[[], GatewayError] = field(repr=False)
    sha256: str = ""
    file_name: str = ""


class StoredFiles:
    """Finds files and reads them. Every `find…` raises what the store says (AioRpcError NOT_FOUND),
    or StoreUnavailable."""

    def __init__(
        self, store: StoreClient, files: FileClient, models: Models, objects: ObjectStore
    ) -> None:
        self._store = store
        self._files = files
        self._models = models
        self._objects = objects
        self._covers: OrderedDict[str, Stored] = OrderedDict()

    async def find(self, tenant: str, job_id: str, index: int) -> Stored:
        """An artifact. The store says (ERROR_REASON_ARTIFACT_DELETED) if it is no longer kept."""
        answer = await self._store.get_artifact(tenant, job_id, index)
        artifact = answer.artifact
        return Stored(
            answer.object_key,
            artifact.size_bytes,
            artifact.media_type,
            f'"{artifact.sha256}"',
            f"{job_id}-{index}",
            lambda: ArtifactNotFound(job_id, index),
            artifact.sha256,
        )

    async def find_preview(self, tenant: str, job_id: str, index: int) -> Stored:
        """The small picture of an artifact, as `find`. Raises ArtifactNotFound if it has none."""
        answer = await self._store.get_artifact(tenant, job_id, index)
        artifact = answer.artifact
        if not answer.preview_object_key:
            raise ArtifactNotFound(job_id, index, "preview of artifact")
        return Stored(
            answer.preview_object_key,
            artifact.preview.size_bytes,
            artifact.preview.media_type,
            _etag(answer.preview_object_key),
            f"{job_id}-{index}-preview",
            lambda: ArtifactNotFound(job_id, index, "preview of artifact"),
        )

    async def find_upload(self, tenant: str, upload_id: str) -> Stored:
        answer = await self._files.read_upload(tenant, upload_id)
        upload = answer.upload
        return Stored(
            answer.object_key,
            upload.size_bytes,
            upload.media_type,
            f'"{upload.sha256}"',
            upload_id,
            lambda: UploadNotFound(upload_id),
            upload.sha256,
            upload.file_name,
        )

    async def find_cover(self, name: str) -> Stored:
        """Raises ModelNotFound."""
        key = (await self._models.look(name)).cover_key

        def gone() -> GatewayError:
            return ModelNotFound(name, "has no picture here")

        if not key:
            raise gone()
        if (cover := self._covers.get(key)) is not None:
            return cover
        # Its record has neither length nor type. Under its key are always the same bytes.
        try:
            size = (await self._objects.head(key)).size
        except (ObjectMissing, InvalidKey):
            raise gone() from None
        except StoreUnavailable as error:
            raise ArtifactsUnavailable from error
        cover = Stored(key, size, UNKNOWN, _etag(key), name.replace("/", "-"), gone)
        head = b"".join(
            [each async for each in self.read(cover, 0, HEAD_BYTES, chunk_bytes=HEAD_BYTES)]
        )
        cover = Stored(key, size, sniff(head), cover.etag, cover.stem, gone)
        self._covers[key] = cover
        if len(self._covers) > _MOST_COVERS:
            self._covers.popitem(last=False)
        return cover

    async def read(
        self, stored: Stored, start: int, end: int, *, chunk_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        """The bytes [start, end), in pieces of at most *chunk_bytes*.

        Raises what *stored.gone* makes before the first piece if the bytes are gone.
        """
        try:
            async for piece in self._objects.get_range(stored.key, start, end):
                for at in range(0, len(piece), chunk_bytes):
                    yield piece[at : at + chunk_bytes]
        except (ObjectMissing, InvalidKey) as error:
            log.error("file.bytes_missing", key=stored.key)
            raise stored.gone() from error
        except StoreUnavailable as error:
            log.warning("file.unreached", key=stored.key, error=str(error))
            raise ArtifactsUnavailable from error

    async def signed(self, stored: Stored) -> str | None:
        """A URL by which anybody has the bytes for a while; None where storage makes none."""
        if not self._objects.signs:
            return None
        try:
            return await self._objects.sign(stored.key, SIGNED_FOR)
        except StoreUnavailable as error:
            log.warning("file.unsigned", key=stored.key, error=str(error))
            raise ArtifactsUnavailable from error


def _etag(key: str) -> str:
    """Of bytes whose hash is not known: under a key are always the same ones."""
    return f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
