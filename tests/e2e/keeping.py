"""What leads a store past the writes of the catalogue and of files, beside a job's own.

Each act asks the store as a gateway would, again until it is answered, and ages what time alone
would bring about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import grpc
import httpx

from devstack.testing import Stack
from mediagen.store.v1 import catalogue_service_pb2, file_service_pb2
from mediagen.store.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from mediagen.store.v1.file_service_pb2_grpc import FileServiceStub
from mediagen.v1 import operator_service_pb2
from mediagen.v1.operator_service_pb2_grpc import OperatorServiceStub

from .crashing import Caller, Crash, rewrite

#: Seconds. What a worker took when the store died is no one else's for a minute, and several stores
#: die in a row.
PATIENCE = 300
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
EDITS_PICTURES = "black-forest-labs/flux-kontext-pro"
OVER = "UPDATE uploads SET expire_time = clock_timestamp() WHERE file_name = $1"
KEPT_LONG = "UPDATE artifacts SET create_time = create_time - interval '2 days' WHERE job_id = $1"
#: Results are kept for a day.
SETTINGS = {"MODELS_ALLOWED": "*", "ARTIFACTS_KEPT": "86400"}


class Keeping:
    """The acts, by name."""

    def __init__(self, stack: Stack, caller: Caller) -> None:
        self._stack = stack
        self._caller = caller
        self.acts: dict[str, Callable[[Crash], Awaitable[None]]] = {
            "sync": self._sync,
            "want": self._want,
            "upload": self._upload,
            "expire": self._expire,
            "keep_long": self._keep_long,
        }

    async def lose(self, crash: Crash) -> None:
        """The job is to take a file that was uploaded, and whose bytes are gone."""
        body = b"\x89PNG\r\n\x1a\n" + crash.name.encode()
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(httpx.HTTPError):
                    answer = await self._caller.http.post("/api/v1/uploads", content=body)
                    if answer.status_code == 200:
                        break
                    assert answer.status_code >= 500, answer.text
                await asyncio.sleep(0.2)
        uri = answer.json()["uri"]
        [file] = (self._stack.state / "artifacts").glob(f"*/uploads/{uri.removeprefix('upload:')}")
        file.unlink()
        crash.model, crash.input = EDITS_PICTURES, {"input_image": uri}

    async def _sync(self, crash: Crash) -> None:
        """A model is asked about again. Named, as all of them are only once in a while."""
        request = operator_service_pb2.SyncModelsRequest(names=[EDITS_PICTURES])
        await self._answered(lambda ch: OperatorServiceStub(ch).SyncModels(request, timeout=10))

    async def _want(self, crash: Crash) -> None:
        """A model that nobody has heard of is looked up, and there is none."""
        request = catalogue_service_pb2.ReadModelRequest(name=f"nobody/{crash.name}", wanted=True)
        missing = catalogue_service_pb2.ReadModelResponse.OUTCOME_MISSING
        async with asyncio.timeout(PATIENCE):
            while (await self._read(request)).outcome != missing:
                await asyncio.sleep(0.2)

    async def _read(self, request: catalogue_service_pb2.ReadModelRequest) -> Any:
        return await self._answered(
            lambda channel: CatalogueServiceStub(channel).ReadModel(request, timeout=10)
        )

    async def _upload(self, crash: Crash) -> None:
        """A file is uploaded: what the store has of it is whole, or there is none of it."""
        begin = file_service_pb2.BeginUploadRequest(tenant="default", file_name=crash.name)
        begun = await self._answered(
            lambda channel: FileServiceStub(channel).BeginUpload(begin, timeout=10)
        )
        whole = file_service_pb2.CompleteUploadRequest(
            tenant="default", upload_id=begun.upload_id, media_type="image/png", size_bytes=1,
            sha256="ab" * 32,
        )  # fmt: skip
        told = await self._answered(
            lambda channel: FileServiceStub(channel).CompleteUpload(whole, timeout=10)
        )
        assert told.upload.size_bytes == 1

    async def _expire(self, crash: Crash) -> None:
        """A file is uploaded, and its time is over at once: its bytes are to be deleted."""
        await self._upload(crash)
        await rewrite(self._stack, OVER, crash.name)

    async def _keep_long(self, crash: Crash) -> None:
        """The job's results were kept long enough, once it is over."""
        await self._caller.has_ended(crash)
        await rewrite(self._stack, KEPT_LONG, crash.job_id)
        async with asyncio.timeout(PATIENCE):
            while True:
                job = await self._caller.job(crash.job_id)
                if all(each.get("delete_time") for each in job["artifacts"]):
                    crash.job = job
                    return
                await asyncio.sleep(0.2)

    async def _answered(self, call: Callable[[grpc.aio.Channel], Awaitable[Any]]) -> Any:
        """The answer, however often it has to be asked for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                async with grpc.aio.insecure_channel(self._stack.store_address) as channel:
                    try:
                        return await call(channel)
                    except grpc.aio.AioRpcError as error:
                        if error.code() not in AWAY:
                            raise
                await asyncio.sleep(0.2)
