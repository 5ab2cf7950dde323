"""How does the gateway ask the store about files that are inputs? As StoreClient asks for jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import grpc

from gateway.adapters.answers import answered
from gateway.domain.errors import UploadNotFound
from mediagen.store.v1 import file_service_pb2 as pb2
from mediagen.store.v1 import file_service_pb2_grpc as pb2_grpc
from mediagen.v1 import input_service_pb2, job_pb2
from servicekit import failpoints
from servicekit.objects import StoredObject

# No other string ever was the id of an upload.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class FileClient:
    """The store's FileService; *channel* is the one of `store.open_channel`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = pb2_grpc.FileServiceStub(channel)
        self._stub = cast("pb2_grpc.FileServiceAsyncStub", stub)

    async def begin_upload(self, tenant: str, file_name: str) -> pb2.BeginUploadResponse:
        """The id of a new upload, and where its bytes go."""
        wanted = pb2.BeginUploadRequest(tenant=tenant, file_name=file_name)
        with failpoints.around("begin_upload"):
            answer: pb2.BeginUploadResponse = await answered(self._stub.BeginUpload(wanted))
        return answer

    async def complete_upload(
        self, tenant: str, upload_id: str, media_type: str, stored: StoredObject
    ) -> input_service_pb2.Upload:
        """From now on jobs can use it."""
        wanted = pb2.CompleteUploadRequest(
            tenant=tenant,
            upload_id=upload_id,
            media_type=media_type,
            size_bytes=stored.size,
            sha256=stored.sha256,
        )
        with failpoints.around("complete_upload"):
            answer: pb2.CompleteUploadResponse = await answered(self._stub.CompleteUpload(wanted))
        return answer.upload

    async def read_upload(self, tenant: str, upload_id: str) -> pb2.ReadUploadResponse:
        """Raises UploadNotFound, or AioRpcError NOT_FOUND as the store says it."""
        if not _ID.fullmatch(upload_id):
            raise UploadNotFound(upload_id)
        wanted = pb2.ReadUploadRequest(tenant=tenant, upload_id=upload_id)
        answer: pb2.ReadUploadResponse = await answered(self._stub.ReadUpload(wanted))
        return answer

    async def resolve(
        self, tenant: str, files: Sequence[job_pb2.InputFile]
    ) -> Sequence[job_pb2.InputFile]:
        """The same files, completed; one that the tenant can not use stays without a type."""
        wanted = pb2.ResolveInputsRequest(tenant=tenant, files=files)
        answer: pb2.ResolveInputsResponse = await answered(self._stub.ResolveInputs(wanted))
        return answer.files
