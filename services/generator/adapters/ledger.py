"""How does a worker talk to the store? One method per call, with a deadline on each.

Calls that ask are tried again for a while; facts are tried until they are recorded or the process
ends, because a paid id must not be dropped. Only answers that hint at a fault of ours or the
store's end that too, after many: the store's own row then leads its reconciler, or the next
worker, to the same fact. A refusal for want of the lease is LeaseLost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import structlog

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.store.v1 import catalogue_service_pb2 as models
from mediagen.store.v1 import file_service_pb2 as files
from mediagen.store.v1.attempt_ledger_service_pb2_grpc import AttemptLedgerServiceStub
from mediagen.store.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from mediagen.store.v1.file_service_pb2_grpc import FileServiceStub
from servicekit import failpoints
from servicekit.connect import backoff

log = structlog.get_logger()

CALL_TIMEOUT = 5.0
_LASTING = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)

# May pass, or be what this very fact always meets.
_DOUBTFUL = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED})
# So many doubtful answers end the trying: with the lease gone, nobody waits for us.
_TRIES_UNLEASED = 5
_TRIES = 300  # about ten minutes

Answer = TypeVar("Answer")
Lost = Callable[[], bool]  #: whether the lease of the job is lost by now


class LedgerError(Exception):
    """Base of why the store did not do as asked.

    * LedgerError
      - LeaseLost
      - LedgerUnreachable
      - LedgerRefused
    """


class LeaseLost(LedgerError):
    """The job is not ours (any more), or is not in the state that we believe."""


class LedgerUnreachable(LedgerError):
    """No answer within the time there was. It may have been done all the same."""


class LedgerRefused(LedgerError):
    """The store will never take this; one of us has a fault."""


class Ledger:
    """AttemptLedgerService for one worker."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = AttemptLedgerServiceStub(channel)

    async def claim(self, request: pb.ClaimJobRequest, patience: float) -> pb.ClaimJobResponse:
        return await _asked("claim_job", self._stub.ClaimJob, request, patience)

    async def begin_submit(self, request: pb.BeginSubmitRequest) -> pb.BeginSubmitResponse:
        """One try: whoever asks again must start its clock again."""
        return await _asked("begin_submit", self._stub.BeginSubmit, request, 0.0)

    async def heartbeat(self, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
        return await _asked("heartbeat", self._stub.Heartbeat, request, 0.0)

    async def release(self, request: pb.ReleaseJobRequest) -> None:
        await _asked("release_job", self._stub.ReleaseJob, request, 5.0)

    async def record_artifacts(self, request: pb.RecordArtifactsRequest) -> None:
        """One try: the completing call names them too."""
        await _asked("record_artifacts", self._stub.RecordArtifacts, request, 0.0)

    async def complete(self, request: pb.CompleteJobRequest) -> None:
        await _asked("complete_job", self._stub.CompleteJob, request, 60.0)

    async def fail_saving(self, request: pb.FailSavingRequest) -> None:
        await _asked("fail_saving", self._stub.FailSaving, request, 60.0)

    async def fail_unsent(self, request: pb.FailUnsentRequest) -> None:
        await _asked("fail_unsent", self._stub.FailUnsent, request, 60.0)

    async def record_prediction(
        self, request: pb.RecordPredictionRequest
    ) -> pb.RecordPredictionResponse:
        """With the lease or without, the most persistent of all: it is a paid id."""
        return await _recorded("record_prediction", self._stub.RecordPrediction, request)

    async def record_unknown(
        self, request: pb.RecordUnknownRequest, lost: Lost
    ) -> pb.RecordUnknownResponse:
        return await _recorded("record_unknown", self._stub.RecordUnknown, request, lost)

    async def record_not_created(self, request: pb.RecordNotCreatedRequest, lost: Lost) -> None:
        await _recorded("record_not_created", self._stub.RecordNotCreated, request, lost)

    async def record_succeeded(
        self, request: pb.RecordSucceededRequest, lost: Lost
    ) -> pb.RecordSucceededResponse:
        return await _recorded("record_succeeded", self._stub.RecordSucceeded, request, lost)

    async def record_ended(self, request: pb.RecordEndedRequest, lost: Lost) -> None:
        await _recorded("record_ended", self._stub.RecordEnded, request, lost)

    async def lease_reconciler(
        self, request: pb.LeaseReconcilerRequest
    ) -> pb.LeaseReconcilerResponse:
        return await _asked("lease_reconciler", self._stub.LeaseReconciler, request, 0.0)

    async def report_scan(self, request: pb.ReportScanRequest) -> pb.ReportScanResponse:
        return await _asked("report_scan", self._stub.ReportScan, request, 5.0)


class Chores:
    """What the store has workers do beside jobs, as only they can reach the provider, and objects.
    Nobody waits for an answer: one try each, and what was taken comes again by itself."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._models: Any = CatalogueServiceStub(channel)
        self._files: Any = FileServiceStub(channel)

    async def due_models(self, request: models.TakeDueModelsRequest) -> list[models.DueModel]:
        answer = await _asked("take_due_models", self._models.TakeDueModels, request, 0.0)
        return list(answer.models)

    async def record_model(self, request: models.RecordModelRequest) -> None:
        await _asked("record_model", self._models.RecordModel, request, 5.0)

    async def doomed_objects(self, request: files.TakeDoomedObjectsRequest) -> list[str]:
        answer = await _asked("take_doomed_objects", self._files.TakeDoomedObjects, request, 0.0)
        return list(answer.object_keys)

    async def record_deleted(self, request: files.RecordDeletedObjectsRequest) -> None:
        await _asked("record_deleted_objects", self._files.RecordDeletedObjects, request, 5.0)


async def _asked(
    step: str, call: Callable[..., Awaitable[Answer]], request: Any, patience: float
) -> Answer:
    """Tries for *patience* seconds at least once."""
    give_up = asyncio.get_running_loop().time() + patience
    for delay in backoff(0.1, 2.0):
        try:
            with failpoints.around(step):
                return await call(request, timeout=CALL_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code is grpc.StatusCode.FAILED_PRECONDITION:
                raise LeaseLost(error.details()) from error
            if code in _LASTING:
                raise LedgerRefused(f"{step}: {code.name}: {error.details()}") from error
            if asyncio.get_running_loop().time() + delay >= give_up:
                raise LedgerUnreachable(f"{step}: {code.name}: {error.details()}") from error
            log.warning("ledger.retried", method=step, code=code.name, error=error.details())
        await asyncio.sleep(delay)
    raise AssertionError("unreachable: backoff never ends")


async def _recorded(
    step: str, call: Callable[..., Awaitable[Answer]], request: Any, lost: Lost = lambda: False
) -> Answer:
    """Tries until the store has it. Only what it seems never to take is given up, loudly."""
    doubtful = 0
    for delay in backoff(0.05, 2.0):
        try:
            with failpoints.around(step):
                return await call(request, timeout=CALL_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            doubtful += code in _DOUBTFUL
            hopeless = doubtful >= (_TRIES_UNLEASED if lost() else _TRIES)
            if code in _LASTING or code is grpc.StatusCode.FAILED_PRECONDITION or hopeless:
                log.error("fact.refused", method=step, code=code.name, error=error.details())
                raise LedgerRefused(f"{step}: {code.name}: {error.details()}") from error
            log.warning("fact.retried", method=step, code=code.name, error=error.details())
        await asyncio.sleep(delay)
    raise AssertionError("unreachable: backoff never ends")
