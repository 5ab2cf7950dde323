"""What does each method about webhooks to callers do? Fill in what was left out, ask the store.

Goes on: the store's own WebhookEndpointService, where everything is decided.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.endpoints import EndpointClient
from gateway.domain.webhook_targets import normalized
from gateway.rpc.tenants import tenant_of
from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceServicer


class WebhookEndpointService(WebhookEndpointServiceServicer):
    """mediagen.v1.WebhookEndpointService. The requests here keep their protos' rules already."""

    def __init__(self, store: EndpointClient) -> None:
        self._store = store

    async def CreateWebhookEndpoint(
        self, request: pb2.CreateWebhookEndpointRequest, context: Any
    ) -> pb2.CreateWebhookEndpointResponse:
        request.target.CopyFrom(normalized(request.target))
        return await self._store.create(_tenant(context), request)

    async def GetWebhookEndpoint(
        self, request: pb2.GetWebhookEndpointRequest, context: Any
    ) -> pb2.GetWebhookEndpointResponse:
        return await self._store.get(_tenant(context), request)

    async def ListWebhookEndpoints(
        self, request: pb2.ListWebhookEndpointsRequest, context: Any
    ) -> pb2.ListWebhookEndpointsResponse:
        return await self._store.list(_tenant(context), request)

    async def UpdateWebhookEndpoint(
        self, request: pb2.UpdateWebhookEndpointRequest, context: Any
    ) -> pb2.UpdateWebhookEndpointResponse:
        if request.HasField("target"):
            request.target.CopyFrom(normalized(request.target))
        return await self._store.update(_tenant(context), request)

    async def PauseWebhookEndpoint(
        self, request: pb2.PauseWebhookEndpointRequest, context: Any
    ) -> pb2.PauseWebhookEndpointResponse:
        return await self._store.pause(_tenant(context), request)

    async def ResumeWebhookEndpoint(
        self, request: pb2.ResumeWebhookEndpointRequest, context: Any
    ) -> pb2.ResumeWebhookEndpointResponse:
        return await self._store.resume(_tenant(context), request)

    async def DeleteWebhookEndpoint(
        self, request: pb2.DeleteWebhookEndpointRequest, context: Any
    ) -> pb2.DeleteWebhookEndpointResponse:
        return await self._store.delete(_tenant(context), request)

    async def PingWebhookEndpoint(
        self, request: pb2.PingWebhookEndpointRequest, context: Any
    ) -> pb2.PingWebhookEndpointResponse:
        return await self._store.ping(_tenant(context), request)

    async def GetWebhookSecret(
        self, request: pb2.GetWebhookSecretRequest, context: Any
    ) -> pb2.GetWebhookSecretResponse:
        return await self._store.secret(_tenant(context), request)

    async def RotateWebhookSecret(
        self, request: pb2.RotateWebhookSecretRequest, context: Any
    ) -> pb2.RotateWebhookSecretResponse:
        return await self._store.rotate(_tenant(context), request)

    async def ListWebhookDeliveries(
        self, request: pb2.ListWebhookDeliveriesRequest, context: Any
    ) -> pb2.ListWebhookDeliveriesResponse:
        return await self._store.deliveries(_tenant(context), request)

    async def GetWebhookDelivery(
        self, request: pb2.GetWebhookDeliveryRequest, context: Any
    ) -> pb2.GetWebhookDeliveryResponse:
        return await self._store.delivery(_tenant(context), request)

    async def RedeliverWebhook(
        self, request: pb2.RedeliverWebhookRequest, context: Any
    ) -> pb2.RedeliverWebhookResponse:
        return await self._store.redeliver(_tenant(context), request)


def _tenant(context: Any) -> str:
    return tenant_of(context.invocation_metadata())
