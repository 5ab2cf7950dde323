"""The store's ledger of deliveries in memory, for tests of the notifier.

Each delivery may be claimed once. What was called is in `calls`, in order, what was said of each
delivery in `records`. `fail` has codes for the next calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from mediagen.store.v1 import job_store_service_pb2 as jobs_pb
from mediagen.store.v1.delivery_ledger_service_pb2_grpc import (
    DeliveryLedgerServiceServicer,
    add_DeliveryLedgerServiceServicer_to_server,
)
from mediagen.store.v1.job_store_service_pb2_grpc import (
    JobStoreServiceServicer,
    add_JobStoreServiceServicer_to_server,
)


class FakeDeliveryLedger(DeliveryLedgerServiceServicer, JobStoreServiceServicer):  # type: ignore[misc]
    """It also answers GetHealth, as every store does."""

    def __init__(self) -> None:
        self.parcels: dict[str, pb.ClaimDeliveryResponse] = {}
        self.claims: dict[str, str] = {}
        self.records: dict[str, pb.RecordDeliveryRequest] = {}
        self.calls: list[str] = []
        self.fail: deque[grpc.StatusCode] = deque()

    def add(self, delivery_id: str, url: str, timeout: float = 15) -> None:
        """A delivery that may be claimed."""
        self.parcels[delivery_id] = pb.ClaimDeliveryResponse(
            url=url,
            headers={"webhook-id": delivery_id, "content-type": "application/json"},
            body=b"{}",
            timeout=Duration(seconds=int(timeout), nanos=int(timeout % 1 * 1e9)),
        )

    async def ClaimDelivery(self, request: Any, context: Any) -> pb.ClaimDeliveryResponse:
        self.calls.append("claim")
        await self._fail(context)
        parcel = self.parcels.get(request.delivery_id)
        token = self.claims.setdefault(request.delivery_id, request.claim_token)
        if parcel is None or token != request.claim_token:
            return pb.ClaimDeliveryResponse(refused=True)
        return parcel

    async def RecordDelivery(self, request: Any, context: Any) -> pb.RecordDeliveryResponse:
        self.calls.append("record")
        await self._fail(context)
        if self.claims[request.delivery_id] == request.claim_token:
            self.records[request.delivery_id] = request
        return pb.RecordDeliveryResponse()

    async def GetHealth(self, request: Any, context: Any) -> jobs_pb.GetHealthResponse:
        return jobs_pb.GetHealthResponse(database=True)

    async def _fail(self, context: Any) -> None:
        if self.fail:
            await context.abort(self.fail.popleft(), "as the test wants it")


@asynccontextmanager
async def running_delivery_ledger() -> AsyncIterator[tuple[FakeDeliveryLedger, str]]:
    """The ledger, and where it listens."""
    ledger, server = FakeDeliveryLedger(), grpc.aio.server()
    add_DeliveryLedgerServiceServicer_to_server(ledger, server)
    add_JobStoreServiceServicer_to_server(ledger, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield ledger, f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
