"""How are dead letters decided about as strict JSON? A key that is dropped would widen a filter.

Through the gateway's own gRPC server, as jobs.py does.
"""

from __future__ import annotations

from typing import cast

import grpc
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.reading import Bodies, body_of, metadata_of, refuse_query, timeout_of
from gateway.http.replies import reply
from mediagen.v1 import operator_service_pb2 as pb2
from mediagen.v1 import operator_service_pb2_grpc as pb2_grpc
from servicekit.printing import as_json


class Operating:
    """The handlers; *channel* leads to the gateway's own gRPC server."""

    def __init__(self, channel: grpc.aio.Channel, bodies: Bodies) -> None:
        stub = pb2_grpc.OperatorServiceStub(channel)
        self._stub = cast("pb2_grpc.OperatorServiceAsyncStub", stub)
        self._bodies = bodies

    async def get(self, request: Request) -> Response:
        answer: pb2.GetDeadLetterResponse = await self._stub.GetDeadLetter(
            pb2.GetDeadLetterRequest(job_id=request.path_params["job_id"]),
            timeout=timeout_of(request),
            metadata=metadata_of(request),
        )
        return reply(as_json(answer.dead_letter))

    async def sync_models(self, request: Request) -> Response:
        refuse_query(request)
        wanted = pb2.SyncModelsRequest()
        # All models are meant if nothing is said, so the body may be left out.
        if body := await body_of(request):
            await self._bodies.filled(body, wanted)
        answer: pb2.SyncModelsResponse = await self._stub.SyncModels(
            wanted, timeout=timeout_of(request), metadata=metadata_of(request)
        )
        return reply(as_json(answer))

    async def redrive(self, request: Request) -> Response:
        refuse_query(request)
        wanted = await self._bodies.filled(await body_of(request), pb2.RedriveDeadLettersRequest())
        answer: pb2.RedriveDeadLettersResponse = await self._stub.RedriveDeadLetters(
            wanted, timeout=timeout_of(request), metadata=metadata_of(request)
        )
        return reply(as_json(answer))

    async def discard(self, request: Request) -> Response:
        refuse_query(request)
        wanted = await self._bodies.filled(await body_of(request), pb2.DiscardDeadLettersRequest())
        answer: pb2.DiscardDeadLettersResponse = await self._stub.DiscardDeadLetters(
            wanted, timeout=timeout_of(request), metadata=metadata_of(request)
        )
        return reply(as_json(answer))
