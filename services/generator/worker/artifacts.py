"""How does one output become one object? Fetched, recognised by its bytes, never over another.

The key carries tenant, job, attempt, lease and index: two workers that both believe they hold the
job write apart, and only what the completing call names is kept. What a file shows is found out
beside storing it; what can not be found out is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import structlog

from generator.domain.outputs import FileLeaf, inline_bytes, without_files
from generator.media.spool import Copy
from generator.worker.listing import Listing
from generator.worker.parts import Parts
from generator.worker.task import Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Artifact
from servicekit import failpoints
from servicekit.media_types import HEAD_BYTES, extension, sniff
from servicekit.objects import ObjectError
from servicekit.presentation import disposition

log = structlog.get_logger()

PREVIEW = "image/webp"


class Keeper:
    """Stores the artifacts of one job under one lease. What is stored stays stored: files that are
    asked for again, after another of them failed, or that an earlier lease has listed, are not
    fetched again."""

    LARGEST_REST = 256 * 1024
    PREVIEW_SIDE = 512  #: pixels, of the longer one

    def __init__(self, parts: Parts, task: Task, listing: Listing) -> None:
        self._parts = parts
        self._task = task
        self._listing = listing
        self._done = {each.artifact.index: each for each in task.stored}
        self._wanted = 0

    async def files(self, leaves: Sequence[FileLeaf]) -> list[pb.StoredArtifact]:
        """All of them, in order; the first error once the others have come to rest."""
        self._wanted = len(leaves)
        results = await asyncio.gather(
            *(self._file(index, leaf) for index, leaf in enumerate(leaves)), return_exceptions=True
        )
        for each in results:
            if isinstance(each, BaseException):
                raise each
        return [self._done[index] for index in range(len(leaves))]

    async def text(self, output: Any, index: int = 0) -> pb.StoredArtifact:
        """An output, or what is left of one, as a file of its own."""
        if index not in self._done:
            body, media_type = without_files(output)
            self._keep(await self._store(index, "", _once(body), media_type))
        return self._done[index]

    async def _file(self, index: int, leaf: FileLeaf) -> None:
        if index in self._done:
            return
        with self._parts.spool.copy() as copy:
            async with self._parts.downloads:
                stored = await self._fetched(index, leaf, copy)
            await self._look(stored, copy)
        self._keep(stored)

    async def _fetched(self, index: int, leaf: FileLeaf, copy: Copy) -> pb.StoredArtifact:
        if leaf.is_inline:
            body, declared = inline_bytes(leaf.source)
            media_type = sniff(body[:HEAD_BYTES], declared)
            return await self._store(index, leaf.path, _once(body), media_type, copy)
        async with self._parts.delivery.open(leaf.source) as download:
            head, chunks = await _peeked(download.chunks)
            media_type = sniff(head[:HEAD_BYTES], download.declared_type)
            return await self._store(index, leaf.path, chunks, media_type, copy)

    async def _store(
        self,
        index: int,
        path: str,
        chunks: AsyncIterator[bytes],
        media_type: str,
        copy: Copy | None = None,
    ) -> pb.StoredArtifact:
        if copy is not None and self._parts.decoders.opens(media_type):
            chunks = copy.passing(chunks)
        task = self._task
        name = f"{index}{extension(media_type)}"
        key = f"{task.tenant}/{task.job_id}/{task.attempt}/{task.lease.epoch}/{name}"
        stored = await self._parts.objects.put_stream(
            key,
            chunks,
            content_type=media_type,
            max_bytes=self._parts.max_artifact_bytes,
            disposition=disposition(f"{task.job_id}-{index}", media_type),
        )
        log.info("artifact.stored", index=index, media_type=media_type, size=stored.size)
        return pb.StoredArtifact(
            object_key=key,
            artifact=Artifact(
                index=index,
                media_type=media_type,
                size_bytes=stored.size,
                sha256=stored.sha256,
                output_path=path,
            ),
        )

    def _keep(self, stored: pb.StoredArtifact) -> None:
        self._done[stored.artifact.index] = stored
        # The last one is told at once by the completing call.
        if len(self._done) < self._wanted:
            self._listing.add(stored)

    async def _look(self, stored: pb.StoredArtifact, copy: Copy) -> None:
        """Adds what the file shows, and stores its preview."""
        artifact = stored.artifact
        if not copy.whole:
            return
        seen = await self._parts.decoders.look(copy.path, artifact.media_type, self.PREVIEW_SIDE)
        artifact.width, artifact.height = seen.width, seen.height
        if seen.duration_ms is not None:
            artifact.duration.FromTimedelta(timedelta(milliseconds=seen.duration_ms))
        if not seen.preview:
            return
        key = f"{stored.object_key}.preview.webp"
        try:
            with failpoints.around("keep_preview"):
                await self._parts.objects.put_stream(
                    key, _once(seen.preview), content_type=PREVIEW, max_bytes=len(seen.preview)
                )
        except ObjectError as error:
            log.warning("preview.not_stored", index=artifact.index, error=str(error))
            return
        stored.preview_object_key = key
        artifact.preview.media_type = PREVIEW
        artifact.preview.width, artifact.preview.height = seen.preview_width, seen.preview_height
        artifact.preview.size_bytes = len(seen.preview)


async def _peeked(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, and the whole stream again."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head, _from(head, chunks)


async def _from(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for chunk in rest:
        yield chunk


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
