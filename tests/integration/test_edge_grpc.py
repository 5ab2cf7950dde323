"""gRPC, gRPC-Web and reflection on the edge's one port."""

from __future__ import annotations

import asyncio
import struct
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from mediagen.v1 import generation_service_pb2 as service_pb2
from mediagen.v1 import generation_service_pb2_grpc as service_grpc
from tests.integration.edge_stub import (
    SERVICE,
    RunningEdge,
    StubGateway,
    running_edge,
    stub_gateway,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StubGateway]:
    """The stub behind the edge."""
    async with stub_gateway(tmp_path_factory.mktemp("gateway")) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(
    gateway: StubGateway, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningEdge]:
    """The edge in front of it."""
    async with running_edge(tmp_path_factory.mktemp("edge"), [gateway]) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def stub(edge: RunningEdge) -> AsyncIterator[service_grpc.GenerationServiceAsyncStub]:
    """A native client of the edge."""
    async with grpc.aio.insecure_channel(edge.target) as channel:
        client: Any = service_grpc.GenerationServiceStub(channel)
        yield client


async def test_native_calls_and_streams(stub: service_grpc.GenerationServiceAsyncStub) -> None:
    """Unary and streaming, on the port that also serves REST."""
    answer = await stub.GetJob(service_pb2.GetJobRequest(job_id="abc"))
    assert answer.job.job_id == "abc"
    watch = stub.WatchJob(service_pb2.WatchJobRequest(job_id="three"))
    assert [message.update.revision async for message in watch] == [1, 2, 3]


async def test_native_errors_keep_their_details(
    stub: service_grpc.GenerationServiceAsyncStub,
) -> None:
    """A status with details passes the edge unchanged."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListJobs(service_pb2.ListJobsRequest(page_token="other"))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status: Any = rpc_status.from_call(caught.value)
    detail = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(detail)
    assert detail.field_violations[0].field == "page_token"


async def test_a_deadline_is_a_deadline(stub: service_grpc.GenerationServiceAsyncStub) -> None:
    """The caller's own limit comes back as DEADLINE_EXCEEDED, not as UNAVAILABLE."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetJob(service_pb2.GetJobRequest(job_id="slow"), timeout=0.5)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_internal_services_are_not_served(edge: RunningEdge) -> None:
    """A path outside the public services is UNIMPLEMENTED, whatever a gateway may serve."""
    async with grpc.aio.insecure_channel(edge.target) as channel:
        call: Any = channel.unary_unary("/mediagen.store.v1.JobStoreService/GetJob")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "protocol", [("grpc", "--http2-prior-knowledge"), ("grpcweb",)], ids=["grpc", "grpc-web"]
)
async def test_reflection_is_enough_for_a_client(
    edge: RunningEdge, protocol: tuple[str, ...]
) -> None:
    """`buf curl` needs no proto files, by gRPC and by gRPC-Web."""
    curl = await asyncio.create_subprocess_exec(
        Path(sysconfig.get_path("scripts"), "buf"),
        *("curl", "--protocol", *protocol, "--reflect-protocol", "grpc-v1alpha"),
        *("-d", '{"job_id": "three"}', f"http://{edge.target}/{SERVICE}/WatchJob"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await curl.communicate()
    assert curl.returncode == 0, errors.decode()
    assert output.decode().count('"jobId": "three"') == 3


async def test_grpc_web_from_an_http1_client(edge: RunningEdge) -> None:
    """One message frame, then the trailers as a frame of their own."""
    body = service_pb2.GetJobRequest(job_id="web").SerializeToString()
    answer = await edge.client.post(
        f"/{SERVICE}/GetJob",
        content=struct.pack(">BI", 0, len(body)) + body,
        headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1"},
    )
    assert answer.status_code == 200
    kind, length = struct.unpack(">BI", answer.content[:5])
    message = service_pb2.GetJobResponse.FromString(answer.content[5 : 5 + length])
    assert (kind, message.job.job_id) == (0, "web")
    trailers = answer.content[5 + length :]
    assert trailers[0] == 0x80
    assert b"grpc-status:0" in trailers
