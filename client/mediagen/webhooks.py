"""How is a program told of events instead of asking for them?

    endpoint = await client.webhooks.create("https://example.com/hook", events=["job.completed"])
    key = (await client.webhooks.secret()).key

What arrives there is signed as the Standard Webhooks specification has it; docs/client.md shows how
to verify it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from mediagen import requests
from mediagen.connection import Connection
from mediagen.v1 import webhook_endpoint_service_pb2 as messages
from mediagen.v1.webhook_endpoint_service_pb2 import (
    GetWebhookSecretResponse,
    RotateWebhookSecretResponse,
)
from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceStub
from mediagen.v1.webhook_pb2 import WebhookDelivery, WebhookEndpoint, WebhookTarget

if TYPE_CHECKING:
    from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceAsyncStub


class Webhooks:
    """The calls of the webhook endpoint service. `Client.webhooks` is one.

    An endpoint, a ping, a secret or a redelivery is not asked for again by itself when the answer
    is lost: each repeat may make another.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self, url: str, *, events: Sequence[str] = (), description: str = ""
    ) -> WebhookEndpoint:
        """An endpoint that is told of events from now on; of the three ends of a job if none is
        named. Raises InvalidRequest, TooManyEndpoints."""
        target = requests.webhook_target({"url": url, "events": events}, "target")
        request = messages.CreateWebhookEndpointRequest(target=target, description=description)
        answer: messages.CreateWebhookEndpointResponse = await self._connection.call(
            self._stub.CreateWebhookEndpoint, request, repeatable=False
        )
        return answer.endpoint

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """One endpoint as it is now. Raises EndpointNotFound."""
        request = messages.GetWebhookEndpointRequest(endpoint_id=endpoint_id)
        answer: messages.GetWebhookEndpointResponse = await self._connection.call(
            self._stub.GetWebhookEndpoint, request
        )
        return answer.endpoint

    async def list(
        self, *, include_of_jobs: bool = False, page_size: int = 50
    ) -> AsyncGenerator[WebhookEndpoint, None]:
        """All endpoints, newest first; with include_of_jobs also the URLs that jobs named."""
        token = ""
        while True:
            request = messages.ListWebhookEndpointsRequest(
                page_size=page_size, page_token=token, include_of_jobs=include_of_jobs
            )
            page: messages.ListWebhookEndpointsResponse = await self._connection.call(
                self._stub.ListWebhookEndpoints, request
            )
            for endpoint in page.endpoints:
                yield endpoint
            token = page.next_page_token
            if not token:
                return

    async def update(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
    ) -> WebhookEndpoint:
        """Changes what is given, and leaves the rest. Deliveries that wait go to the new URL.

        Raises EndpointNotFound, InvalidRequest.
        """
        target: WebhookTarget | None = None
        if url is not None or events is not None:
            # The service takes both or neither.
            now = await self.get(endpoint_id) if url is None or events is None else None
            target = requests.webhook_target(
                {
                    "url": now.url if now and url is None else url or "",
                    "events": list(now.events) if now and events is None else events or (),
                },
                "target",
            )
        request = messages.UpdateWebhookEndpointRequest(
            endpoint_id=endpoint_id, target=target, description=description
        )
        answer: messages.UpdateWebhookEndpointResponse = await self._connection.call(
            self._stub.UpdateWebhookEndpoint, request
        )
        return answer.endpoint

    async def pause(self, endpoint_id: str) -> WebhookEndpoint:
        """Nothing is posted until it is resumed; its events wait. Raises EndpointNotFound."""
        request = messages.PauseWebhookEndpointRequest(endpoint_id=endpoint_id)
        answer: messages.PauseWebhookEndpointResponse = await self._connection.call(
            self._stub.PauseWebhookEndpoint, request
        )
        return answer.endpoint

    async def resume(self, endpoint_id: str) -> WebhookEndpoint:
        """Events are posted again, first what has waited. Raises EndpointNotFound."""
        request = messages.ResumeWebhookEndpointRequest(endpoint_id=endpoint_id)
        answer: messages.ResumeWebhookEndpointResponse = await self._connection.call(
            self._stub.ResumeWebhookEndpoint, request
        )
        return answer.endpoint

    async def delete(self, endpoint_id: str) -> None:
        """Removes it with its deliveries. Raises EndpointNotFound, also the second time."""
        request = messages.DeleteWebhookEndpointRequest(endpoint_id=endpoint_id)
        await self._connection.call(self._stub.DeleteWebhookEndpoint, request, repeatable=False)

    async def ping(self, endpoint_id: str) -> WebhookDelivery:
        """Posts an "endpoint.ping"; `delivery` tells what became of it.

        Raises EndpointNotFound; TransitionRefused if the endpoint is paused.
        """
        request = messages.PingWebhookEndpointRequest(endpoint_id=endpoint_id)
        answer: messages.PingWebhookEndpointResponse = await self._connection.call(
            self._stub.PingWebhookEndpoint, request, repeatable=False
        )
        return answer.delivery

    async def secret(self) -> GetWebhookSecretResponse:
        """The secret under which all events are signed; after a rotation also the one before."""
        request = messages.GetWebhookSecretRequest()
        answer: GetWebhookSecretResponse = await self._connection.call(
            self._stub.GetWebhookSecret, request
        )
        return answer

    async def rotate_secret(self) -> RotateWebhookSecretResponse:
        """A new secret. Events are signed under the old one too for 24 hours."""
        request = messages.RotateWebhookSecretRequest()
        answer: RotateWebhookSecretResponse = await self._connection.call(
            self._stub.RotateWebhookSecret, request, repeatable=False
        )
        return answer

    async def deliveries(
        self,
        *,
        endpoint_id: str = "",
        job_id: str = "",
        states: Iterable[WebhookDelivery.State.ValueType | str] = (),
        page_size: int = 50,
    ) -> AsyncGenerator[WebhookDelivery, None]:
        """All deliveries of the last 30 days for which all filters hold, newest first.

        states: "pending", "delivered", "failed".
        """
        wanted = requests.delivery_states(states)
        token = ""
        while True:
            request = messages.ListWebhookDeliveriesRequest(
                page_size=page_size,
                page_token=token,
                endpoint_id=endpoint_id,
                job_id=job_id,
                states=wanted,
            )
            page: messages.ListWebhookDeliveriesResponse = await self._connection.call(
                self._stub.ListWebhookDeliveries, request
            )
            for delivery in page.deliveries:
                yield delivery
            token = page.next_page_token
            if not token:
                return

    async def delivery(self, delivery_id: str) -> WebhookDelivery:
        """One delivery with its posts. Raises DeliveryNotFound."""
        request = messages.GetWebhookDeliveryRequest(delivery_id=delivery_id)
        answer: messages.GetWebhookDeliveryResponse = await self._connection.call(
            self._stub.GetWebhookDelivery, request
        )
        return answer.delivery

    async def redeliver(self, delivery_id: str) -> WebhookDelivery:
        """Posts it again, at once and for three days, under the same id.

        Raises DeliveryNotFound; TransitionRefused if its endpoint is paused.
        """
        request = messages.RedeliverWebhookRequest(delivery_id=delivery_id)
        answer: messages.RedeliverWebhookResponse = await self._connection.call(
            self._stub.RedeliverWebhook, request, repeatable=False
        )
        return answer.delivery

    @property
    def _stub(self) -> WebhookEndpointServiceAsyncStub:
        stub = WebhookEndpointServiceStub(self._connection.channel)
        return cast("WebhookEndpointServiceAsyncStub", stub)
