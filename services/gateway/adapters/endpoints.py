"""How does the gateway ask the store about webhooks to callers? As they asked, beside their tenant.

The store has the same service; whose call it is goes beside the request, as metadata.
"""

from __future__ import annotations

from typing import cast

import grpc

from gateway.adapters.answers import answered
from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from mediagen.v1 import webhook_endpoint_service_pb2_grpc as pb2_grpc
from servicekit import failpoints

TENANT_KEY = "mediagen-tenant"


class EndpointClient:
    """The store's WebhookEndpointService; *channel* is the one of `store.open_channel`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = pb2_grpc.WebhookEndpointServiceStub(channel)
        self._stub = cast("pb2_grpc.WebhookEndpointServiceAsyncStub", stub)

    async def create(
        self, tenant: str, wanted: pb2.CreateWebhookEndpointRequest
    ) -> pb2.CreateWebhookEndpointResponse:
        with failpoints.around("create_webhook_endpoint"):
            answer: pb2.CreateWebhookEndpointResponse = await answered(
                self._stub.CreateWebhookEndpoint(wanted, metadata=_of(tenant))
            )
        return answer

    async def get(
        self, tenant: str, wanted: pb2.GetWebhookEndpointRequest
    ) -> pb2.GetWebhookEndpointResponse:
        answer: pb2.GetWebhookEndpointResponse = await answered(
            self._stub.GetWebhookEndpoint(wanted, metadata=_of(tenant))
        )
        return answer

    async def list(
        self, tenant: str, wanted: pb2.ListWebhookEndpointsRequest
    ) -> pb2.ListWebhookEndpointsResponse:
        answer: pb2.ListWebhookEndpointsResponse = await answered(
            self._stub.ListWebhookEndpoints(wanted, metadata=_of(tenant))
        )
        return answer

    async def update(
        self, tenant: str, wanted: pb2.UpdateWebhookEndpointRequest
    ) -> pb2.UpdateWebhookEndpointResponse:
        with failpoints.around("update_webhook_endpoint"):
            answer: pb2.UpdateWebhookEndpointResponse = await answered(
                self._stub.UpdateWebhookEndpoint(wanted, metadata=_of(tenant))
            )
        return answer

    async def pause(
        self, tenant: str, wanted: pb2.PauseWebhookEndpointRequest
    ) -> pb2.PauseWebhookEndpointResponse:
        with failpoints.around("pause_webhook_endpoint"):
            answer: pb2.PauseWebhookEndpointResponse = await answered(
                self._stub.PauseWebhookEndpoint(wanted, metadata=_of(tenant))
            )
        return answer

    async def resume(
        self, tenant: str, wanted: pb2.ResumeWebhookEndpointRequest
    ) -> pb2.ResumeWebhookEndpointResponse:
        with failpoints.around("resume_webhook_endpoint"):
            answer: pb2.ResumeWebhookEndpointResponse = await answered(
                self._stub.ResumeWebhookEndpoint(wanted, metadata=_of(tenant))
            )
        return answer

    async def delete(
        self, tenant: str, wanted: pb2.DeleteWebhookEndpointRequest
    ) -> pb2.DeleteWebhookEndpointResponse:
        with failpoints.around("delete_webhook_endpoint"):
            answer: pb2.DeleteWebhookEndpointResponse = await answered(
                self._stub.DeleteWebhookEndpoint(wanted, metadata=_of(tenant))
            )
        return answer

    async def ping(
        self, tenant: str, wanted: pb2.PingWebhookEndpointRequest
    ) -> pb2.PingWebhookEndpointResponse:
        with failpoints.around("ping_webhook_endpoint"):
            answer: pb2.PingWebhookEndpointResponse = await answered(
                self._stub.PingWebhookEndpoint(wanted, metadata=_of(tenant))
            )
        return answer

    async def secret(
        self, tenant: str, wanted: pb2.GetWebhookSecretRequest
    ) -> pb2.GetWebhookSecretResponse:
        answer: pb2.GetWebhookSecretResponse = await answered(
            self._stub.GetWebhookSecret(wanted, metadata=_of(tenant))
        )
        return answer

    async def rotate(
        self, tenant: str, wanted: pb2.RotateWebhookSecretRequest
    ) -> pb2.RotateWebhookSecretResponse:
        with failpoints.around("rotate_webhook_secret"):
            answer: pb2.RotateWebhookSecretResponse = await answered(
                self._stub.RotateWebhookSecret(wanted, metadata=_of(tenant))
            )
        return answer

    async def deliveries(
        self, tenant: str, wanted: pb2.ListWebhookDeliveriesRequest
    ) -> pb2.ListWebhookDeliveriesResponse:
        answer: pb2.ListWebhookDeliveriesResponse = await answered(
            self._stub.ListWebhookDeliveries(wanted, metadata=_of(tenant))
        )
        return answer

    async def delivery(
        self, tenant: str, wanted: pb2.GetWebhookDeliveryRequest
    ) -> pb2.GetWebhookDeliveryResponse:
        answer: pb2.GetWebhookDeliveryResponse = await answered(
            self._stub.GetWebhookDelivery(wanted, metadata=_of(tenant))
        )
        return answer

    async def redeliver(
        self, tenant: str, wanted: pb2.RedeliverWebhookRequest
    ) -> pb2.RedeliverWebhookResponse:
        with failpoints.around("redeliver_webhook"):
            answer: pb2.RedeliverWebhookResponse = await answered(
                self._stub.RedeliverWebhook(wanted, metadata=_of(tenant))
            )
        return answer


def _of(tenant: str) -> tuple[tuple[str, str], ...]:
    return ((TENANT_KEY, tenant),)
