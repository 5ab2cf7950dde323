"""How does a webhook come in? Its bytes as they are, and the headers that sign them.

Through the gateway's own gRPC server, as jobs.py does. The path ends with a token that lets its
bearer name a prediction of ours: it is in no log line (app.py, and the edge's own log).
"""

from __future__ import annotations

import re
from typing import cast

import grpc
from google.api.httpbody_pb2 import HttpBody
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.reading import metadata_of, timeout_of
from gateway.http.replies import reply
from gateway.rpc.webhook_service import MOST_BODY_BYTES, SIGNED_WITH
from mediagen.v1 import webhook_service_pb2 as pb2
from mediagen.v1 import webhook_service_pb2_grpc as pb2_grpc
from servicekit.printing import as_json

PREFIX = "/api/v1/webhooks/replicate/"
_SENT = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,2047}")


class Webhooks:
    """The handler; *channel* leads to the gateway's own gRPC server."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = pb2_grpc.WebhookServiceStub(channel)
        self._stub = cast("pb2_grpc.WebhookServiceAsyncStub", stub)

    async def receive(self, request: Request) -> Response:
        wanted = pb2.ReceiveReplicateWebhookRequest(
            token=request.path_params["token"],
            body=HttpBody(content_type="application/json", data=await _bounded(request)),
        )
        answer: pb2.ReceiveReplicateWebhookResponse = await self._stub.ReceiveReplicateWebhook(
            wanted, timeout=timeout_of(request), metadata=(*metadata_of(request), *_signed(request))
        )
        return reply(as_json(answer))


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise HTTPException(413, "The body of a webhook is 1 MiB at most.")
    return bytes(body)


def _signed(request: Request) -> tuple[tuple[str, str], ...]:
    found = ((name, request.headers.get(name, "")) for name in SIGNED_WITH)
    # What gRPC does not carry was not sent by the provider either.
    return tuple((name, value) for name, value in found if _SENT.fullmatch(value))
