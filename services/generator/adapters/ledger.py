"""How does a worker talk to the store? One method per call, with a deadline on each.

Calls that ask are tried again for a while; facts are tried until they are recorded or the process
ends, because a paid id must not be dropped. A refusal for want of the lease is LeaseLost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import structlog

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.store.v1.attempt_ledger_service_pb2_grpc import AttemptLedgerServiceStub
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

Answer = TypeVar("Answer")


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
        return await _asked("ClaimJob", self._stub.ClaimJob, request, patience)

    async def begin_submit(self, request: pb.BeginSubmitRequest) -> pb.BeginSubmitResponse:
        """One try: whoever asks again must start its clock again."""
        return await _asked("BeginSubmit", self._stub.BeginSubmit, request, 0.0)

    async def heartbeat(self, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
        return await _asked("Heartbeat", self._stub.Heartbeat, request, 0.0)

    async def release(self, request: pb.ReleaseJobRequest) -> None:
        await _asked("ReleaseJob", self._stub.ReleaseJob, request, 5.0)

    async def complete(self, request: pb.CompleteJobRequest) -> None:
        await _asked("CompleteJob", self._stub.CompleteJob, request, 60.0)

    async def fail_saving(self, request: pb.FailSavingRequest) -> None:
        await _asked("FailSaving", self._stub.FailSaving, request, 60.0)

    async def record_prediction(
        self, request: pb.RecordPredictionRequest
    ) -> pb.RecordPredictionResponse:
        return await _recorded("RecordPrediction", self._stub.RecordPrediction, request)

    async def record_unknown(self, request: pb.RecordUnknownRequest) -> None:
        await _recorded("RecordUnknown", self._stub.RecordUnknown, request)

    async def record_not_created(self, request: pb.RecordNotCreatedRequest) -> None:
        await _recorded("RecordNotCreated", self._stub.RecordNotCreated, request)

    async def record_succeeded(
        self, request: pb.RecordSucceededRequest
    ) -> pb.RecordSucceededResponse:
        return await _recorded("RecordSucceeded", self._stub.RecordSucceeded, request)

    async def record_ended(self, request: pb.RecordEndedRequest) -> None:
        await _recorded("RecordEnded", self._stub.RecordEnded, request)

    async def lease_reconciler(
        self, request: pb.LeaseReconcilerRequest
    ) -> pb.LeaseReconcilerResponse:
        return await _asked("LeaseReconciler", self._stub.LeaseReconciler, request, 0.0)

    async def report_scan(self, request: pb.ReportScanRequest) -> pb.ReportScanResponse:
        return await _asked("ReportScan", self._stub.ReportScan, request, 5.0)


async def _asked(
    name: str, call: Callable[..., Awaitable[Answer]], request: Any, patience: float
) -> Answer:
    """Tries for *patience* seconds at least once."""
    give_up = asyncio.get_running_loop().time() + patience
    for delay in backoff(0.1, 2.0):
        try:
            return await call(request, timeout=CALL_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code is grpc.StatusCode.FAILED_PRECONDITION:
                raise LeaseLost(error.details()) from error
            if code in _LASTING:
                raise LedgerRefused(f"{name}: {code.name}: {error.details()}") from error
            if asyncio.get_running_loop().time() + delay >= give_up:
                raise LedgerUnreachable(f"{name}: {code.name}: {error.details()}") from error
            log.warning("ledger.retried", method=name, code=code.name, error=error.details())
        await asyncio.sleep(delay)
    raise AssertionError("unreachable: backoff never ends")


async def _recorded(name: str, call: Callable[..., Awaitable[Answer]], request: Any) -> Answer:
    """Tries until the store has it. Only what it will never take is given up, loudly."""
    for delay in backoff(0.05, 2.0):
        try:
            return await call(request, timeout=CALL_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code in _LASTING or code is grpc.StatusCode.FAILED_PRECONDITION:
                log.error("fact.refused", method=name, code=code.name, error=error.details())
                raise LedgerRefused(f"{name}: {code.name}: {error.details()}") from error
            log.warning("fact.retried", method=name, code=code.name, error=error.details())
        await asyncio.sleep(delay)
    raise AssertionError("unreachable: backoff never ends")
