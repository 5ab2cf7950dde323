"""What does the edge add to GetJob?

One client asks one way after the other, again and again, so that whatever slows the machine down
slows every way: directly and through the edge, over gRPC and over REST.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from bench.http_client import HttpConnection, get
from bench.load import Call, channel, run
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import generation_service_pb2_grpc as pb2_grpc

DIRECT_GRPC, EDGE_GRPC = "gRPC, direct", "gRPC, through the edge"
DIRECT_REST, EDGE_REST = "REST, direct", "REST, through the edge"
_WARM_UP = 20


def get_job(
    grpc_addresses: Mapping[str, str], http_urls: Mapping[str, str], job_id: str, calls: int
) -> Mapping[str, Sequence[float]]:
    """The seconds that each call of each way took."""

    async def load() -> Mapping[str, Sequence[float]]:
        ways: dict[str, Call] = {}
        async with AsyncExitStack() as stack:
            for name, address in grpc_addresses.items():
                opened = await stack.enter_async_context(channel(address))
                ways[name] = _grpc_call(pb2_grpc.GenerationServiceStub(opened), job_id)
            for name, url in http_urls.items():
                connection = await HttpConnection.open(url)
                stack.callback(connection.close)
                ways[name] = _rest_call(connection, get(f"{url}/api/v1/status/{job_id}"))
            took: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(_WARM_UP + calls):
                for name, call in ways.items():
                    begin = time.perf_counter()
                    await call()
                    took[name].append(time.perf_counter() - begin)
        return {name: each[_WARM_UP:] for name, each in took.items()}

    return run(load())


def _grpc_call(stub: pb2_grpc.GenerationServiceStub, job_id: str) -> Call:
    request = pb2.GetJobRequest(job_id=job_id)

    async def call() -> None:
        await stub.GetJob(request)

    return call


def _rest_call(connection: HttpConnection, request: bytes) -> Call:
    async def call() -> None:
        await connection.call(request)

    return call
