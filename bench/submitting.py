"""How many submits a second, over gRPC and over REST?"""

from __future__ import annotations

from contextlib import AsyncExitStack

from bench.figures import Samples
from bench.http_client import HttpConnection, post
from bench.load import Call, channel, drive, run
from bench.requests import submit_document, submit_request
from mediagen.v1 import generation_service_pb2_grpc as pb2_grpc


def over_grpc(address: str, clients: int, seconds: float) -> Samples:
    """Submits to the gRPC at *address*, each client on a connection of its own."""

    async def load() -> Samples:
        async with AsyncExitStack() as stack:
            calls = []
            for _ in range(clients):
                opened = await stack.enter_async_context(channel(address))
                calls.append(_grpc_call(pb2_grpc.GenerationServiceStub(opened)))
            return await drive(calls, seconds)

    return run(load())


def _grpc_call(stub: pb2_grpc.GenerationServiceStub) -> Call:
    async def call() -> None:
        await stub.SubmitJob(submit_request())

    return call


def over_rest(edge_url: str, clients: int, seconds: float) -> Samples:
    """Submits to the edge as JSON, each client on a connection of its own."""

    async def load() -> Samples:
        connections = [await HttpConnection.open(edge_url) for _ in range(clients)]
        try:
            url = f"{edge_url}/api/v1/generate"
            return await drive([_rest_call(each, url) for each in connections], seconds)
        finally:
            for connection in connections:
                connection.close()

    return run(load())


def _rest_call(connection: HttpConnection, url: str) -> Call:
    async def call() -> None:
        await connection.call(post(url, submit_document()))

    return call
