"""What the store has workers do beside jobs, in memory: models to ask about, objects to delete."""

from __future__ import annotations

from collections import deque
from typing import Any

import grpc

from mediagen.store.v1 import catalogue_service_pb2 as models
from mediagen.store.v1 import file_service_pb2 as files
from mediagen.store.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer
from mediagen.store.v1.file_service_pb2_grpc import FileServiceServicer


class FakeCatalogue(CatalogueServiceServicer):  # type: ignore[misc]
    """Gives each due model once, and keeps what is recorded."""

    def __init__(self) -> None:
        self.due: deque[models.DueModel] = deque()
        self.recorded: list[models.RecordModelRequest] = []
        self.taken = 0
        self.failing: deque[grpc.StatusCode] = deque()

    async def TakeDueModels(self, request: Any, context: Any) -> Any:
        assert 1 <= request.limit <= 20
        assert request.worker_id
        self.taken += 1
        if self.failing:
            await context.abort(self.failing.popleft(), "made to fail")
        count = min(request.limit, len(self.due))
        return models.TakeDueModelsResponse(models=[self.due.popleft() for _ in range(count)])

    async def RecordModel(self, request: Any, context: Any) -> Any:
        assert request.WhichOneof("answer")
        self.recorded.append(request)
        return models.RecordModelResponse()


class FakeFiles(FileServiceServicer):  # type: ignore[misc]
    """Names doomed objects until they are recorded as deleted."""

    def __init__(self) -> None:
        self.doomed: dict[str, bool] = {}
        self.failing: deque[grpc.StatusCode] = deque()

    async def TakeDoomedObjects(self, request: Any, context: Any) -> Any:
        assert 1 <= request.limit <= 500
        if self.failing:
            await context.abort(self.failing.popleft(), "made to fail")
        free = [key for key, taken in self.doomed.items() if not taken][: request.limit]
        self.doomed.update(dict.fromkeys(free, True))
        return files.TakeDoomedObjectsResponse(object_keys=free)

    async def RecordDeletedObjects(self, request: Any, context: Any) -> Any:
        for key in request.object_keys:
            self.doomed.pop(key, None)
        return files.RecordDeletedObjectsResponse()
