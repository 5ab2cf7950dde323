"""How does the gateway ask the store for what operators want? As StoreClient asks for jobs."""

from __future__ import annotations

from typing import cast

import grpc

from gateway.adapters.answers import answered
from mediagen.v1 import dead_letter_pb2
from mediagen.v1 import operator_service_pb2 as pb2
from mediagen.v1 import operator_service_pb2_grpc as pb2_grpc
from servicekit import failpoints

LONGEST_TURN = 12.0  #: seconds for many decisions, less than the edge allows a call
ON_THE_WAY = 0.5  #: of the caller's time, so that what was decided is still told


class OperatorClient:
    """The store's OperatorService; *channel* is the one of `store.open_channel`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = pb2_grpc.OperatorServiceStub(channel)
        self._stub = cast("pb2_grpc.OperatorServiceAsyncStub", stub)

    async def overview(self) -> pb2.GetOverviewResponse:
        answer: pb2.GetOverviewResponse = await answered(
            self._stub.GetOverview(pb2.GetOverviewRequest())
        )
        return answer

    async def statistics(self, wanted: pb2.GetStatisticsRequest) -> pb2.GetStatisticsResponse:
        answer: pb2.GetStatisticsResponse = await answered(self._stub.GetStatistics(wanted))
        return answer

    async def sync_models(self, wanted: pb2.SyncModelsRequest) -> pb2.SyncModelsResponse:
        with failpoints.around("sync_models"):
            answer: pb2.SyncModelsResponse = await answered(self._stub.SyncModels(wanted))
        return answer

    async def list(self, wanted: pb2.ListDeadLettersRequest) -> pb2.ListDeadLettersResponse:
        answer: pb2.ListDeadLettersResponse = await answered(self._stub.ListDeadLetters(wanted))
        return answer

    async def get(self, job_id: str) -> dead_letter_pb2.DeadLetter:
        wanted = pb2.GetDeadLetterRequest(job_id=job_id)
        answer: pb2.GetDeadLetterResponse = await answered(self._stub.GetDeadLetter(wanted))
        return answer.dead_letter

    async def redrive(
        self, wanted: pb2.RedriveDeadLettersRequest, remaining: float | None
    ) -> pb2.RedriveDeadLettersResponse:
        """*remaining*: seconds that the caller still waits."""
        with failpoints.around("redrive_dead_letters"):
            answer: pb2.RedriveDeadLettersResponse = await answered(
                self._stub.RedriveDeadLetters(wanted, timeout=_timeout(remaining))
            )
        return answer

    async def discard(
        self, wanted: pb2.DiscardDeadLettersRequest, remaining: float | None
    ) -> pb2.DiscardDeadLettersResponse:
        """*remaining*: seconds that the caller still waits."""
        with failpoints.around("discard_dead_letters"):
            answer: pb2.DiscardDeadLettersResponse = await answered(
                self._stub.DiscardDeadLetters(wanted, timeout=_timeout(remaining))
            )
        return answer


def _timeout(remaining: float | None) -> float:
    if remaining is None:
        return LONGEST_TURN
    return max(ON_THE_WAY, min(remaining - ON_THE_WAY, LONGEST_TURN))
