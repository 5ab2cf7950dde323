"""FileService: files that jobs take, and objects that are to be deleted.

Comes from: a gateway that is given a file or an input that names one; a worker that deletes.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from mediagen.store.v1 import file_service_pb2 as pb
from mediagen.store.v1.file_service_pb2_grpc import FileServiceServicer
from store.adapters.doomed import DoomedObjects
from store.adapters.uploads import MOST_FILES, InputFiles, Uploads
from store.domain.errors import UploadNotFound

MOST_TAKEN = 500


class FileService(FileServiceServicer):
    """Each method is one use case."""

    def __init__(self, uploads: Uploads, inputs: InputFiles, doomed: DoomedObjects) -> None:
        self._uploads = uploads
        self._inputs = inputs
        self._doomed = doomed

    async def BeginUpload(
        self, request: pb.BeginUploadRequest, context: Any
    ) -> pb.BeginUploadResponse:
        """A new upload."""
        upload_id, key = await self._uploads.begin(request.tenant, request.file_name)
        return pb.BeginUploadResponse(upload_id=str(upload_id), object_key=key)

    async def CompleteUpload(
        self, request: pb.CompleteUploadRequest, context: Any
    ) -> pb.CompleteUploadResponse:
        """Its bytes are stored."""
        upload = await self._uploads.complete(
            request.tenant, _id_of(request.upload_id), request.media_type, request.size_bytes,
            request.sha256,
        )  # fmt: skip
        return pb.CompleteUploadResponse(upload=upload)

    async def ReadUpload(
        self, request: pb.ReadUploadRequest, context: Any
    ) -> pb.ReadUploadResponse:
        """Reads one."""
        upload, key = await self._uploads.read(request.tenant, _id_of(request.upload_id))
        return pb.ReadUploadResponse(upload=upload, object_key=key)

    async def ResolveInputs(
        self, request: pb.ResolveInputsRequest, context: Any
    ) -> pb.ResolveInputsResponse:
        """Looks files up."""
        files = await self._inputs.resolve(request.tenant, request.files[:MOST_FILES])
        return pb.ResolveInputsResponse(files=files)

    async def TakeDoomedObjects(
        self, request: pb.TakeDoomedObjectsRequest, context: Any
    ) -> pb.TakeDoomedObjectsResponse:
        """Gives objects to delete."""
        keys = await self._doomed.take(min(max(request.limit, 1), MOST_TAKEN))
        return pb.TakeDoomedObjectsResponse(object_keys=keys)

    async def RecordDeletedObjects(
        self, request: pb.RecordDeletedObjectsRequest, context: Any
    ) -> pb.RecordDeletedObjectsResponse:
        """They are deleted."""
        await self._doomed.deleted(request.object_keys)
        return pb.RecordDeletedObjectsResponse()


def _id_of(text: str) -> UUID:
    """The id; UploadNotFound for what can not be one, as for one that is not there."""
    try:
        return UUID(text)
    except ValueError:
        raise UploadNotFound(text) from None
