"""Where do an artifact's bytes come from?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import structlog

from gateway.adapters.store import StoreClient
from gateway.domain.errors import ArtifactNotFound, ArtifactsUnavailable
from mediagen.v1 import job_pb2
from servicekit.objects import InvalidKey, ObjectMissing, ObjectStore, StoreUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """An artifact's record, and the key of its bytes."""

    job_id: str
    artifact: job_pb2.Artifact
    key: str

    @property
    def etag(self) -> str:
        return f'"{self.artifact.sha256}"'


class Artifacts:
    """Artifacts of jobs: the record from the store, the bytes from object storage."""

    def __init__(self, store: StoreClient, objects: ObjectStore) -> None:
        self._store = store
        self._objects = objects

    async def find(self, tenant: str, job_id: str, index: int) -> Found:
        """Raises AioRpcError NOT_FOUND as the store says it, or StoreUnavailable."""
        answer = await self._store.get_artifact(tenant, job_id, index)
        return Found(job_id, answer.artifact, answer.object_key)

    async def read(
        self, found: Found, start: int, end: int, *, chunk_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        """The bytes [start, end), in pieces of at most *chunk_bytes*.

        Raises ArtifactNotFound before the first piece if the bytes are gone.
        """
        try:
            async for piece in self._objects.get_range(found.key, start, end):
                for at in range(0, len(piece), chunk_bytes):
                    yield piece[at : at + chunk_bytes]
        except (ObjectMissing, InvalidKey) as error:
            log.error("artifact.bytes_missing", job_id=found.job_id, key=found.key)
            raise ArtifactNotFound(found.job_id, found.artifact.index) from error
        except StoreUnavailable as error:
            log.warning("artifact.unreached", job_id=found.job_id, error=str(error))
            raise ArtifactsUnavailable from error
