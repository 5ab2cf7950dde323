"""How are webhook endpoints changed as strict JSON? A key that is dropped would post elsewhere.

Through the gateway's own gRPC server, as jobs.py does. What only reads, the edge itself transcodes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import grpc
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.reading import Bodies, body_of, metadata_of, refuse_query, timeout_of
from gateway.http.replies import reply
from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from mediagen.v1 import webhook_endpoint_service_pb2_grpc as pb2_grpc
from servicekit.printing import as_json


class Endpoints:
    """The handlers; *channel* leads to the gateway's own gRPC server."""

    def __init__(self, channel: grpc.aio.Channel, bodies: Bodies) -> None:
        stub = pb2_grpc.WebhookEndpointServiceStub(channel)
        self._stub = cast("pb2_grpc.WebhookEndpointServiceAsyncStub", stub)
        self._bodies = bodies

    async def create(self, request: Request) -> Response:
        wanted = pb2.CreateWebhookEndpointRequest()
        return await self._told(request, self._stub.CreateWebhookEndpoint, wanted, says=True)

    async def update(self, request: Request) -> Response:
        wanted = pb2.UpdateWebhookEndpointRequest(**request.path_params)
        return await self._told(request, self._stub.UpdateWebhookEndpoint, wanted, says=True)

    async def pause(self, request: Request) -> Response:
        wanted = pb2.PauseWebhookEndpointRequest(**request.path_params)
        return await self._told(request, self._stub.PauseWebhookEndpoint, wanted)

    async def resume(self, request: Request) -> Response:
        wanted = pb2.ResumeWebhookEndpointRequest(**request.path_params)
        return await self._told(request, self._stub.ResumeWebhookEndpoint, wanted)

    async def delete(self, request: Request) -> Response:
        wanted = pb2.DeleteWebhookEndpointRequest(**request.path_params)
        return await self._told(request, self._stub.DeleteWebhookEndpoint, wanted)

    async def ping(self, request: Request) -> Response:
        wanted = pb2.PingWebhookEndpointRequest(**request.path_params)
        return await self._told(request, self._stub.PingWebhookEndpoint, wanted)

    async def rotate(self, request: Request) -> Response:
        wanted = pb2.RotateWebhookSecretRequest()
        return await self._told(request, self._stub.RotateWebhookSecret, wanted)

    async def redeliver(self, request: Request) -> Response:
        wanted = pb2.RedeliverWebhookRequest(**request.path_params)
        return await self._told(request, self._stub.RedeliverWebhook, wanted)

    async def _told(
        self,
        request: Request,
        method: Callable[..., Awaitable[Message]],
        wanted: Message,
        *,
        says: bool = False,
    ) -> Response:
        """*says*: the body says something. Where it can not, it may be left out."""
        refuse_query(request)
        body = await body_of(request)
        if body or says:
            await self._bodies.filled(body, wanted, in_path=frozenset(request.path_params))
        answer = await method(wanted, timeout=timeout_of(request), metadata=metadata_of(request))
        return reply(as_json(answer))
