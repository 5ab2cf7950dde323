"""How does a notifier talk to the store? With a deadline on each call, tried again for a while."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from mediagen.store.v1 import job_store_service_pb2 as jobs_pb
from mediagen.store.v1.delivery_ledger_service_pb2_grpc import DeliveryLedgerServiceStub
from mediagen.store.v1.job_store_service_pb2_grpc import JobStoreServiceStub
from servicekit import failpoints
from servicekit.connect import GaveUp, retrying

CALL_TIMEOUT = 5.0
CLAIM_PATIENCE = 5.0
#: A record that is given up is a webhook that is posted again.
RECORD_PATIENCE = 15.0
_HEALTH_TIMEOUT = 1.5
# The store, or the road to it, may be better in a moment.
_PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)

Answer = TypeVar("Answer")


class LedgerError(Exception):
    """Base of why the store did not do as asked.

    * LedgerError
      - LedgerUnreachable
      - LedgerRefused
    """


class LedgerUnreachable(LedgerError):
    """No answer within the time there was. It may have been done all the same."""


class LedgerRefused(LedgerError):
    """The store will not take this, now or later."""


class _Passing(Exception):
    """This try failed; another may do."""


class Ledger:
    """DeliveryLedgerService for one notifier."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = DeliveryLedgerServiceStub(channel)
        self._jobs: Any = JobStoreServiceStub(channel)

    async def claim(self, request: pb.ClaimDeliveryRequest) -> pb.ClaimDeliveryResponse:
        return await _asked("claim_delivery", self._stub.ClaimDelivery, request, CLAIM_PATIENCE)

    async def record(self, request: pb.RecordDeliveryRequest) -> None:
        await _asked("record_delivery", self._stub.RecordDelivery, request, RECORD_PATIENCE)

    async def check(self) -> bool:
        """For Health: whether the store can be reached and has its database."""
        request = jobs_pb.GetHealthRequest()
        answer = await self._jobs.GetHealth(request, timeout=_HEALTH_TIMEOUT)
        return bool(answer.database)


async def _asked(
    step: str, call: Callable[..., Awaitable[Answer]], request: Any, patience: float
) -> Answer:
    """Tries for *patience* seconds, at least once."""
    try:
        return await retrying(
            "the store",
            lambda: _tried(step, call, request),
            give_up_after=patience,
            retry_on=(_Passing,),
        )
    except GaveUp as error:
        raise LedgerUnreachable(str(error)) from error


async def _tried(step: str, call: Callable[..., Awaitable[Answer]], request: Any) -> Answer:
    try:
        with failpoints.around(step):
            return await call(request, timeout=CALL_TIMEOUT)
    except grpc.aio.AioRpcError as error:
        said = f"{step}: {error.code().name}: {error.details()}"
        raise (_Passing if error.code() in _PASSING else LedgerRefused)(said) from error
