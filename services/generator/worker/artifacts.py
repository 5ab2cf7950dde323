"""How does one output become one object? Fetched, recognised by its bytes, never over another.

The key carries tenant, job, attempt, lease and index: two workers that both believe they hold the
job write apart, and only what the completing call names is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog

from generator.adapters.media_types import HEAD_BYTES, extension, sniff
from generator.domain.outputs import FileLeaf, inline_bytes, without_files
from generator.worker.listing import Listing
from generator.worker.parts import Parts
from generator.worker.task import Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Artifact

log = structlog.get_logger()


class Keeper:
    """Stores the artifacts of one job under one lease. What is stored stays stored: files that are
    asked for again, after another of them failed, or that an earlier lease has listed, are not
    fetched again."""

    LARGEST_REST = 256 * 1024

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
            await self._store(index, "", _once(body), media_type)
        return self._done[index]

    async def _file(self, index: int, leaf: FileLeaf) -> None:
        if index in self._done:
            return
        async with self._parts.downloads:
            if leaf.is_inline:
                body, declared = inline_bytes(leaf.source)
                media_type = sniff(body[:HEAD_BYTES], declared)
                await self._store(index, leaf.path, _once(body), media_type)
                return
            async with self._parts.delivery.open(leaf.source) as download:
                head, chunks = await _peeked(download.chunks)
                media_type = sniff(head[:HEAD_BYTES], download.declared_type)
                await self._store(index, leaf.path, chunks, media_type)

    async def _store(
        self, index: int, path: str, chunks: AsyncIterator[bytes], media_type: str
    ) -> None:
        task = self._task
        name = f"{index}{extension(media_type)}"
        key = f"{task.tenant}/{task.job_id}/{task.attempt}/{task.lease.epoch}/{name}"
        stored = await self._parts.objects.put_stream(
            key, chunks, content_type=media_type, max_bytes=self._parts.max_artifact_bytes
        )
        log.info("artifact.stored", index=index, media_type=media_type, size=stored.size)
        self._done[index] = kept = pb.StoredArtifact(
            object_key=key,
            artifact=Artifact(
                index=index,
                media_type=media_type,
                size_bytes=stored.size,
                sha256=stored.sha256,
                output_path=path,
            ),
        )
        # The last one is told at once by the completing call.
        if len(self._done) < self._wanted:
            self._listing.add(kept)


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
