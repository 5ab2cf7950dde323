"""How does a program get a job's files, and hand in files of its own? The calls of `Client`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from mediagen import downloading, uploading
from mediagen.jobs import Jobs
from mediagen.v1 import generation_service_pb2 as messages
from mediagen.v1.input_service_pb2 import Upload
from mediagen.v1.job_pb2 import Artifact, Preview


class Files(Jobs):
    """Downloads and uploads, beside what there is for jobs."""

    async def download(
        self,
        job_id: str,
        index: int = 0,
        *,
        to: str | os.PathLike[str] | BinaryIO,
        on_bytes: Callable[[int], object] | None = None,
    ) -> Artifact:
        """Stores one artifact's bytes, checked against its length and SHA-256, and returns it.

        to: a path, which is replaced in one step when all bytes are right, and never holds a part
        of them; or a binary file, which gets the bytes as they come, before they are checked.
        on_bytes: called with how many have come so far.

        Raises JobNotFound, ArtifactNotFound, DownloadBroken, Unavailable, OSError.
        """
        artifact = downloading.artifact_of(await self.get(job_id), index)
        expected = downloading.Expected(artifact.size_bytes, artifact.sha256)
        request = messages.DownloadArtifactRequest(job_id=job_id, index=index)
        source = downloading.Source(self._connection, self._stub.DownloadArtifact, request)
        await downloading.store(to, expected, source, self._silence, on_bytes)
        return artifact

    async def download_preview(
        self, job_id: str, index: int = 0, *, to: str | os.PathLike[str] | BinaryIO
    ) -> Preview:
        """Stores the small picture that stands for an artifact, as `download` does.

        Raises JobNotFound; ArtifactNotFound if the artifact has none.
        """
        preview = downloading.artifact_of(await self.get(job_id), index).preview
        expected = downloading.Expected(preview.size_bytes or None)
        request = messages.DownloadPreviewRequest(job_id=job_id, index=index)
        source = downloading.Source(self._connection, self._stub.DownloadPreview, request)
        await downloading.store(to, expected, source, self._silence)
        return preview

    async def upload(
        self,
        source: uploading.Source,
        *,
        file_name: str = "",
        media_type: str = "",
        sha256: str = "",
    ) -> Upload:
        """Uploads a file that jobs can take as an input: give the Upload, or its `uri`.

        source: a path, bytes, or an async iterator of bytes. file_name: a name for people; that of
        the path if empty. media_type: a hint where the bytes are mute. sha256: what the bytes must
        have; of a path or bytes it is worked out.

        Raises UploadRefused, UploadBroken, Unavailable, OSError.
        """
        return await uploading.upload(self._connection, source, file_name, media_type, sha256)

    async def get_upload(self, upload_id: str) -> Upload:
        """What is known of an uploaded file. Raises UploadNotFound."""
        return await uploading.get(self._connection, upload_id)
