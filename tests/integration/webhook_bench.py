"""The store's half of webhooks on a real database, without processes or broker, for tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from standardwebhooks.webhooks import Webhook

from mediagen.store.v1 import delivery_ledger_service_pb2 as db
from mediagen.v1 import job_pb2, webhook_pb2
from mediagen.v1 import webhook_endpoint_service_pb2 as eb
from store.adapters import webhook_tables as w
from store.adapters.deliveries import Deliveries
from store.adapters.delivery_log import DeliveryLog
from store.adapters.endpoints import WebhookEndpoints
from store.adapters.metrics import PostCounter
from store.adapters.wakeups import Wakeups
from store.adapters.webhook_secrets import WebhookSecrets
from store.loops.webhook_sweeper import WebhookSweeper
from store.rpc.delivery_ledger import DeliveryLedger
from store.rpc.webhook_endpoints import TENANT_KEY, WebhookEndpointsService

from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench

PUBLIC_URL = "https://media.example.com"
HOOK = "https://hooks.example.com/a"


class Caller:
    """The context of a call that a gateway makes for *tenant*."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """What came with the call."""
        return ((TENANT_KEY, self._tenant),)


OURS: Any = Caller(TENANT)
THEIRS: Any = Caller("another")


@dataclass
class Webhooks:
    """Servicers, and the steps of a delivery in a word each."""

    store: Bench
    endpoints: WebhookEndpointsService
    ledger: DeliveryLedger
    sweeper: WebhookSweeper

    async def create(
        self, url: str = HOOK, *events: str, caller: Any = OURS
    ) -> webhook_pb2.WebhookEndpoint:
        """An endpoint of the tenant."""
        target = webhook_pb2.WebhookTarget(url=url, events=events)
        request = eb.CreateWebhookEndpointRequest(target=target)
        return (await self.endpoints.CreateWebhookEndpoint(request, caller)).endpoint

    async def endpoint(self, endpoint_id: str) -> webhook_pb2.WebhookEndpoint:
        """The endpoint as it is now."""
        request = eb.GetWebhookEndpointRequest(endpoint_id=endpoint_id)
        return (await self.endpoints.GetWebhookEndpoint(request, OURS)).endpoint

    async def pause(self, endpoint_id: str) -> None:
        """Nothing is posted to it."""
        request = eb.PauseWebhookEndpointRequest(endpoint_id=endpoint_id)
        await self.endpoints.PauseWebhookEndpoint(request, OURS)

    async def resume(self, endpoint_id: str) -> None:
        """It is called again."""
        request = eb.ResumeWebhookEndpointRequest(endpoint_id=endpoint_id)
        await self.endpoints.ResumeWebhookEndpoint(request, OURS)

    async def canceled(self, **request: Any) -> job_pb2.Job:
        """A job that was submitted and canceled, and whose events have their numbers."""
        job = await self.store.submit(**request)
        await self.store.cancel(job.job_id)
        await self.store.feed.number(TENANT)
        return job

    async def deliveries(self, **filters: Any) -> list[webhook_pb2.WebhookDelivery]:
        """All there are, newest first."""
        request = eb.ListWebhookDeliveriesRequest(**filters)
        return list((await self.endpoints.ListWebhookDeliveries(request, OURS)).deliveries)

    async def delivery(self, delivery_id: str) -> webhook_pb2.WebhookDelivery:
        """The delivery with its posts."""
        request = eb.GetWebhookDeliveryRequest(delivery_id=delivery_id)
        return (await self.endpoints.GetWebhookDelivery(request, OURS)).delivery

    async def redeliver(self, delivery_id: str) -> webhook_pb2.WebhookDelivery:
        """The delivery, to be posted again."""
        request = eb.RedeliverWebhookRequest(delivery_id=delivery_id)
        return (await self.endpoints.RedeliverWebhook(request, OURS)).delivery

    async def column(self, delivery_id: str, name: str) -> Any:
        """One column of the delivery's row."""
        row = w.webhook_deliveries.c
        query = sa.select(row[name]).where(row.delivery_id == UUID(delivery_id))
        async with self.store.database.single() as connection:
            return (await connection.execute(query)).scalar_one()

    async def claim(
        self, delivery_id: str, *, token: str = "", dispatch: int = 0
    ) -> db.ClaimDeliveryResponse:
        """A notifier takes the delivery."""
        request = db.ClaimDeliveryRequest(
            delivery_id=delivery_id,
            dispatch=dispatch or await self.column(delivery_id, "dispatch"),
            claim_token=token or uuid4().hex,
        )
        return await self.ledger.ClaimDelivery(request, NO_CONTEXT)

    async def record(
        self,
        delivery_id: str,
        token: str,
        error: db.DeliveryError.ValueType = db.DELIVERY_ERROR_UNSPECIFIED,
        **more: Any,
    ) -> None:
        """It says what came of the post."""
        status = more.pop("status_code", 200 if not error else 0)
        request = db.RecordDeliveryRequest(
            delivery_id=delivery_id, claim_token=token, error=error, status_code=status, **more
        )
        await self.ledger.RecordDelivery(request, NO_CONTEXT)

    async def post(
        self, delivery_id: str, error: db.DeliveryError.ValueType = db.DELIVERY_ERROR_UNSPECIFIED,
        **more: Any,
    ) -> db.ClaimDeliveryResponse:  # fmt: skip
        """Claimed and recorded."""
        token = uuid4().hex
        claimed = await self.claim(delivery_id, token=token)
        assert not claimed.refused
        await self.record(delivery_id, token, error, **more)
        return claimed

    async def age(self, shift: timedelta) -> None:
        """Makes everything about webhooks *shift* older."""
        async with self.store.database.transaction() as connection:
            for table in (w.webhook_endpoints, w.webhook_deliveries, w.webhook_attempts,
                          w.webhook_secrets):  # fmt: skip
                times = {c.name: c - shift for c in table.c if isinstance(c.type, sa.DateTime)}
                await connection.execute(sa.update(table).values(**times))

    async def secret(self) -> eb.GetWebhookSecretResponse:
        """The tenant's."""
        return await self.endpoints.GetWebhookSecret(eb.GetWebhookSecretRequest(), OURS)


def verified(claimed: db.ClaimDeliveryResponse, key: str) -> dict[str, Any]:
    """The event, as a receiver that has *key* reads it. Raises unless it is signed under that."""
    event: dict[str, Any] = Webhook(key).verify(claimed.body, dict(claimed.headers))
    return event


def body_of(claimed: db.ClaimDeliveryResponse) -> dict[str, Any]:
    """The event, unverified."""
    event: dict[str, Any] = json.loads(claimed.body)
    return event


@asynccontextmanager
async def webhook_bench(database_url: str) -> AsyncIterator[Webhooks]:
    """A bench on *database_url*."""
    async with store_bench(database_url) as bench:
        database, wakeups = bench.database, Wakeups()
        endpoints = WebhookEndpointsService(
            WebhookEndpoints(database, wakeups),
            DeliveryLog(database, wakeups),
            WebhookSecrets(database),
        )
        ledger = DeliveryLedger(Deliveries(database, wakeups, PUBLIC_URL), PostCounter())
        yield Webhooks(bench, endpoints, ledger, WebhookSweeper(database))
