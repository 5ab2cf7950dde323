"""What does each method for operators do? Ask the store, and show. It sees every tenant.

Goes on: store/rpc/operator.py, where everything is decided.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.operating import OperatorClient
from gateway.rpc.job_view import JobView
from mediagen.v1 import operator_service_pb2 as pb2
from mediagen.v1.operator_service_pb2_grpc import OperatorServiceServicer


class OperatorService(OperatorServiceServicer):
    """mediagen.v1.OperatorService. The requests here keep their protos' rules already."""

    def __init__(self, store: OperatorClient, view: JobView) -> None:
        self._store = store
        self._view = view

    async def GetOverview(
        self, request: pb2.GetOverviewRequest, context: Any
    ) -> pb2.GetOverviewResponse:
        return await self._store.overview()

    async def GetStatistics(
        self, request: pb2.GetStatisticsRequest, context: Any
    ) -> pb2.GetStatisticsResponse:
        return await self._store.statistics(request)

    async def SyncModels(
        self, request: pb2.SyncModelsRequest, context: Any
    ) -> pb2.SyncModelsResponse:
        return await self._store.sync_models(request)

    async def ListDeadLetters(
        self, request: pb2.ListDeadLettersRequest, context: Any
    ) -> pb2.ListDeadLettersResponse:
        return await self._store.list(request)

    async def GetDeadLetter(
        self, request: pb2.GetDeadLetterRequest, context: Any
    ) -> pb2.GetDeadLetterResponse:
        letter = await self._store.get(request.job_id)
        self._view.show(letter.job)
        return pb2.GetDeadLetterResponse(dead_letter=letter)

    async def RedriveDeadLetters(
        self, request: pb2.RedriveDeadLettersRequest, context: Any
    ) -> pb2.RedriveDeadLettersResponse:
        return await self._store.redrive(request, context.time_remaining())

    async def DiscardDeadLetters(
        self, request: pb2.DiscardDeadLettersRequest, context: Any
    ) -> pb2.DiscardDeadLettersResponse:
        return await self._store.discard(request, context.time_remaining())
