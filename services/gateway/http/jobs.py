"""How are jobs submitted, read and canceled as strict JSON?

Through the gateway's own gRPC server, over loopback: the same interceptors, checks and log lines as
for every other caller, and no second road to the store. What goes wrong is raised; app.py renders.
"""

from __future__ import annotations

from typing import cast

import grpc
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.reading import Bodies, body_of, metadata_of, refuse_query, timeout_of
from gateway.http.replies import reply
from gateway.rpc.health_view import SERVING
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import generation_service_pb2_grpc as pb2_grpc
from servicekit.printing import as_json


class Jobs:
    """The handlers; *channel* leads to the gateway's own gRPC server."""

    def __init__(self, channel: grpc.aio.Channel, bodies: Bodies) -> None:
        stub = pb2_grpc.GenerationServiceStub(channel)
        self._stub = cast("pb2_grpc.GenerationServiceAsyncStub", stub)
        self._bodies = bodies

    async def submit(self, request: Request) -> Response:
        refuse_query(request)
        wanted = await self._bodies.filled(await body_of(request), pb2.SubmitJobRequest())
        answer: pb2.SubmitJobResponse = await self._stub.SubmitJob(
            wanted, timeout=timeout_of(request), metadata=metadata_of(request)
        )
        return reply(as_json(answer.job))

    async def cancel(self, request: Request) -> Response:
        refuse_query(request)
        wanted = pb2.CancelJobRequest(job_id=request.path_params["job_id"])
        # There is nothing to say in it, so the body may be left out.
        if body := await body_of(request):
            await self._bodies.filled(body, wanted, in_path=frozenset({"job_id"}))
        answer: pb2.CancelJobResponse = await self._stub.CancelJob(
            wanted, timeout=timeout_of(request), metadata=metadata_of(request)
        )
        return reply(as_json(answer.job))

    async def get(self, request: Request) -> Response:
        answer: pb2.GetJobResponse = await self._stub.GetJob(
            pb2.GetJobRequest(job_id=request.path_params["job_id"]),
            timeout=timeout_of(request),
            metadata=metadata_of(request),
        )
        return reply(as_json(answer.job))

    async def health(self, request: Request) -> Response:
        """503 when jobs can not be taken, with the same body as otherwise."""
        answer: pb2.GetHealthResponse = await self._stub.GetHealth(
            pb2.GetHealthRequest(), timeout=timeout_of(request), metadata=metadata_of(request)
        )
        return reply(as_json(answer), 200 if answer.status == SERVING else 503)
