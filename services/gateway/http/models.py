"""How is a model read over plain HTTP? Through the gateway's own gRPC server, as jobs.py does.

The list of models Envoy itself transcodes.
"""

from __future__ import annotations

from typing import cast

import grpc
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.reading import metadata_of, only_parameters, timeout_of
from gateway.http.replies import reply
from mediagen.v1 import model_service_pb2 as pb2
from mediagen.v1 import model_service_pb2_grpc as pb2_grpc
from servicekit.printing import as_json


class ModelPages:
    """The handlers; *channel* leads to the gateway's own gRPC server."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = pb2_grpc.ModelServiceStub(channel)
        self._stub = cast("pb2_grpc.ModelServiceAsyncStub", stub)

    async def get(self, request: Request) -> Response:
        given = only_parameters(request, "version")
        answer: pb2.GetModelResponse = await self._stub.GetModel(
            pb2.GetModelRequest(
                name=f"{request.path_params['owner']}/{request.path_params['name']}",
                version=given.get("version", ""),
            ),
            timeout=timeout_of(request),
            metadata=metadata_of(request),
        )
        return reply(as_json(answer.model))
