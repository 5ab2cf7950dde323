"""A WebhookEndpointService in memory, for tests of what calls it: the gateway, and the client.

What it was asked with is kept in `metadata`; `refusals` refuses the next calls, `answers_lost`
loses so many answers. It posts nothing.
"""

from __future__ import annotations

import uuid
from collections import deque
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceServicer
from mediagen.v1.webhook_pb2 import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookTarget
from tests.fakes.refusing import abort, refusal

ENDS = ["job.completed", "job.failed", "job.canceled"]


class FakeEndpoints(WebhookEndpointServiceServicer):
    """What the real service promises, less the posts."""

    def __init__(self) -> None:
        self.endpoints: dict[str, WebhookEndpoint] = {}
        self.deliveries: dict[str, WebhookDelivery] = {}
        self.requests: list[Message] = []
        self.metadata: list[dict[str, Any]] = []
        self.refusals: deque[Status] = deque()
        self.answers_lost = 0
        self.key, self.previous_key = "whsec_Zmlyc3Q=", ""

    async def CreateWebhookEndpoint(
        self, request: pb2.CreateWebhookEndpointRequest, context: Any
    ) -> pb2.CreateWebhookEndpointResponse:
        await self._arrived(request, context)
        endpoint = WebhookEndpoint(
            endpoint_id=str(uuid.uuid4()),
            description=request.description,
            state=WebhookEndpoint.STATE_ENABLED,
        )
        _aim(endpoint, request.target)
        endpoint.create_time.GetCurrentTime()
        endpoint.update_time.GetCurrentTime()
        self.endpoints[endpoint.endpoint_id] = endpoint
        await self._lost(context)
        return pb2.CreateWebhookEndpointResponse(endpoint=endpoint)

    async def GetWebhookEndpoint(
        self, request: pb2.GetWebhookEndpointRequest, context: Any
    ) -> pb2.GetWebhookEndpointResponse:
        await self._arrived(request, context)
        return pb2.GetWebhookEndpointResponse(endpoint=await self._endpoint(request, context))

    async def ListWebhookEndpoints(
        self, request: pb2.ListWebhookEndpointsRequest, context: Any
    ) -> pb2.ListWebhookEndpointsResponse:
        await self._arrived(request, context)
        listed = [
            each
            for each in reversed(self.endpoints.values())
            if request.include_of_jobs or not each.of_jobs
        ]
        page, token = _page(listed, request.page_size, request.page_token)
        return pb2.ListWebhookEndpointsResponse(endpoints=page, next_page_token=token)

    async def UpdateWebhookEndpoint(
        self, request: pb2.UpdateWebhookEndpointRequest, context: Any
    ) -> pb2.UpdateWebhookEndpointResponse:
        await self._arrived(request, context)
        endpoint = await self._endpoint(request, context)
        if request.HasField("target"):
            _aim(endpoint, request.target)
        if request.HasField("description"):
            endpoint.description = request.description
        return pb2.UpdateWebhookEndpointResponse(endpoint=endpoint)

    async def PauseWebhookEndpoint(
        self, request: pb2.PauseWebhookEndpointRequest, context: Any
    ) -> pb2.PauseWebhookEndpointResponse:
        await self._arrived(request, context)
        endpoint = await self._endpoint(request, context)
        endpoint.state, endpoint.pause_reason = WebhookEndpoint.STATE_PAUSED, "by its owner"
        return pb2.PauseWebhookEndpointResponse(endpoint=endpoint)

    async def ResumeWebhookEndpoint(
        self, request: pb2.ResumeWebhookEndpointRequest, context: Any
    ) -> pb2.ResumeWebhookEndpointResponse:
        await self._arrived(request, context)
        endpoint = await self._endpoint(request, context)
        endpoint.state, endpoint.pause_reason = WebhookEndpoint.STATE_ENABLED, ""
        return pb2.ResumeWebhookEndpointResponse(endpoint=endpoint)

    async def DeleteWebhookEndpoint(
        self, request: pb2.DeleteWebhookEndpointRequest, context: Any
    ) -> pb2.DeleteWebhookEndpointResponse:
        await self._arrived(request, context)
        endpoint = await self._endpoint(request, context)
        del self.endpoints[endpoint.endpoint_id]
        return pb2.DeleteWebhookEndpointResponse()

    async def PingWebhookEndpoint(
        self, request: pb2.PingWebhookEndpointRequest, context: Any
    ) -> pb2.PingWebhookEndpointResponse:
        await self._arrived(request, context)
        endpoint = await self._endpoint(request, context)
        if endpoint.state == WebhookEndpoint.STATE_PAUSED:
            status = refusal(grpc.StatusCode.FAILED_PRECONDITION, "TRANSITION_REFUSED")
            await abort(context, status)
        delivery = self.note(endpoint, "endpoint.ping")
        await self._lost(context)
        return pb2.PingWebhookEndpointResponse(delivery=delivery)

    async def GetWebhookSecret(
        self, request: pb2.GetWebhookSecretRequest, context: Any
    ) -> pb2.GetWebhookSecretResponse:
        await self._arrived(request, context)
        answer = pb2.GetWebhookSecretResponse(key=self.key, previous_key=self.previous_key)
        if self.previous_key:
            answer.previous_expire_time.GetCurrentTime()
        return answer

    async def RotateWebhookSecret(
        self, request: pb2.RotateWebhookSecretRequest, context: Any
    ) -> pb2.RotateWebhookSecretResponse:
        await self._arrived(request, context)
        self.key, self.previous_key = "whsec_c2Vjb25k", self.key
        answer = pb2.RotateWebhookSecretResponse(key=self.key, previous_key=self.previous_key)
        answer.previous_expire_time.GetCurrentTime()
        return answer

    async def ListWebhookDeliveries(
        self, request: pb2.ListWebhookDeliveriesRequest, context: Any
    ) -> pb2.ListWebhookDeliveriesResponse:
        await self._arrived(request, context)
        listed = [
            each
            for each in reversed(self.deliveries.values())
            if (not request.endpoint_id or each.endpoint_id == request.endpoint_id)
            and (not request.job_id or each.job_id == request.job_id)
            and (not request.states or each.state in request.states)
        ]
        page, token = _page(listed, request.page_size, request.page_token)
        return pb2.ListWebhookDeliveriesResponse(deliveries=page, next_page_token=token)

    async def GetWebhookDelivery(
        self, request: pb2.GetWebhookDeliveryRequest, context: Any
    ) -> pb2.GetWebhookDeliveryResponse:
        await self._arrived(request, context)
        return pb2.GetWebhookDeliveryResponse(delivery=await self._delivery(request, context))

    async def RedeliverWebhook(
        self, request: pb2.RedeliverWebhookRequest, context: Any
    ) -> pb2.RedeliverWebhookResponse:
        await self._arrived(request, context)
        delivery = await self._delivery(request, context)
        delivery.state = WebhookDelivery.STATE_PENDING
        return pb2.RedeliverWebhookResponse(delivery=delivery)

    def note(
        self,
        endpoint: WebhookEndpoint,
        kind: str,
        *,
        state: WebhookDelivery.State.ValueType = WebhookDelivery.STATE_PENDING,
        error: str = "",
    ) -> WebhookDelivery:
        """A delivery, with one post where it is not pending."""
        delivery = WebhookDelivery(
            delivery_id=str(uuid.uuid4()),
            endpoint_id=endpoint.endpoint_id,
            url=endpoint.url,
            type=kind,
            state=state,
        )
        delivery.create_time.GetCurrentTime()
        if state != WebhookDelivery.STATE_PENDING:
            attempt = WebhookAttempt(number=1, status_code=503 if error else 204, error=error)
            attempt.start_time.GetCurrentTime()
            attempt.duration.FromMilliseconds(120)
            delivery.attempts.append(attempt)
            delivery.attempt_count = 1
        self.deliveries[delivery.delivery_id] = delivery
        return delivery

    async def _arrived(self, request: Message, context: Any) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.refusals:
            await abort(context, self.refusals.popleft())

    async def _lost(self, context: Any) -> None:
        if self.answers_lost:
            self.answers_lost -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    async def _endpoint(self, request: Any, context: Any) -> WebhookEndpoint:
        wanted = request.endpoint_id
        if wanted not in self.endpoints:
            reason = "ERROR_REASON_WEBHOOK_ENDPOINT_NOT_FOUND"
            status = refusal(grpc.StatusCode.NOT_FOUND, reason, endpoint_id=wanted)
            await abort(context, status)
        return self.endpoints[wanted]

    async def _delivery(self, request: Any, context: Any) -> WebhookDelivery:
        wanted = request.delivery_id
        if wanted not in self.deliveries:
            reason = "ERROR_REASON_WEBHOOK_DELIVERY_NOT_FOUND"
            status = refusal(grpc.StatusCode.NOT_FOUND, reason, delivery_id=wanted)
            await abort(context, status)
        return self.deliveries[wanted]


def _aim(endpoint: WebhookEndpoint, target: WebhookTarget) -> None:
    endpoint.url = target.url
    endpoint.events[:] = target.events or ENDS


def _page(listed: list[Any], size: int, token: str) -> tuple[list[Any], str]:
    start, size = int(token or 0), size or 50
    return listed[start : start + size], str(start + size) if len(listed) > start + size else ""
