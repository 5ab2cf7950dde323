"""Several gateways, none, and an end: whom the edge calls, and what it says when nobody answers."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import httpx
import psutil
import pytest

from mediagen.errors import Unavailable, from_call
from mediagen.v1 import generation_service_pb2 as service_pb2
from mediagen.v1 import generation_service_pb2_grpc as service_grpc
from tests.integration.edge_stub import RunningEdge, StubGateway, running_edge, stub_gateway


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test has started, the last first."""
    async with AsyncExitStack() as opened:
        yield opened


async def started(stack: AsyncExitStack, folder: Path, count: int = 1) -> list[StubGateway]:
    """This many gateways."""
    return [await stack.enter_async_context(stub_gateway(folder)) for _ in range(count)]


async def readyz(edge: RunningEdge, wanted: int) -> None:
    """Wait until the probe answers so."""
    async with asyncio.timeout(10):
        while (await edge.client.get("/readyz")).status_code != wanted:
            await asyncio.sleep(0.1)


def spare(gateway: StubGateway) -> StubGateway:
    """The same gateway under ports where nobody listens."""
    return StubGateway(1, 1, gateway.service, gateway.http, gateway.health)


async def test_calls_go_round(stack: AsyncExitStack, tmp_path: Path) -> None:
    """Each of two gateways gets its share of both kinds of call."""
    gateways = await started(stack, tmp_path, 2)
    edge = await stack.enter_async_context(running_edge(tmp_path, gateways))
    for _ in range(20):
        assert (await edge.client.get("/api/v1/jobs")).status_code == 200
        assert (await edge.client.get("/api/v1/status/abc")).status_code == 200
    for gateway in gateways:
        assert gateway.service.calls >= 4
        assert len(gateway.http.requests) >= 4


async def test_a_dead_gateway_is_not_noticed(stack: AsyncExitStack, tmp_path: Path) -> None:
    """A failed connection is tried on the other one, from the first call on."""
    (alive,) = await started(stack, tmp_path)
    edge = await stack.enter_async_context(running_edge(tmp_path, [spare(alive), alive]))
    for _ in range(10):
        assert (await edge.client.get("/api/v1/jobs")).status_code == 200
        assert (await edge.client.post("/api/v1/generate", content=b"{}")).status_code == 200


async def test_probes_follow_the_gateways_health(stack: AsyncExitStack, tmp_path: Path) -> None:
    """One that does not serve is left out; with none left the probe is 503, and back again."""
    first, second = await started(stack, tmp_path, 2)
    edge = await stack.enter_async_context(running_edge(tmp_path, [first, second]))
    first.set_serving(False)
    await asyncio.sleep(2.5)
    calls = first.service.calls
    for _ in range(6):
        assert (await edge.client.get("/api/v1/jobs")).status_code == 200
    assert first.service.calls == calls
    await readyz(edge, 200)
    second.set_serving(False)
    await readyz(edge, 503)
    second.set_serving(True)
    await readyz(edge, 200)


async def test_without_a_gateway_every_call_says_so(stack: AsyncExitStack, tmp_path: Path) -> None:
    """503 as a status over REST and UNAVAILABLE over gRPC, with the time to try again and without
    the gateway's address."""
    async with stub_gateway(tmp_path) as gateway:
        edge = await stack.enter_async_context(running_edge(tmp_path, [gateway]))
    paths = ("/api/v1/jobs", "/api/v1/status/abc", "/api/v1/jobs/abc:watch")
    for path in paths:
        answer = await edge.client.get(path)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["code"] == 14
        assert answer.json()["details"][-1]["retry_delay"] == "1s"
        assert answer.headers["retry-after"] == "1"
        assert "127.0.0.1" not in answer.text
    async with grpc.aio.insecure_channel(edge.target) as channel:
        stub = service_grpc.GenerationServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetJob(service_pb2.GetJobRequest(job_id="abc"))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert not (caught.value.details() or "").startswith("{")
    told = from_call(caught.value)
    assert isinstance(told, Unavailable)
    assert told.retry_delay == 1.0


async def test_without_a_gateway_a_browser_s_stream_says_so_and_comes_back(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    """EventSource gives up for ever on any status but 200, so it is told by an event, and when to
    come back; a page of another site may read it too. What is refused for good is no event."""
    async with stub_gateway(tmp_path) as gateway:
        running = running_edge(tmp_path, [gateway], ALLOWED_ORIGINS="https://friend.example")
        edge = await stack.enter_async_context(running)
    asks = {"accept": "text/event-stream", "origin": "https://friend.example"}
    for path in ("/api/v1/jobs/abc:events", "/api/v1/jobs:events"):
        answer = await edge.client.get(path, headers=asks)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
        assert answer.headers["access-control-allow-origin"] == asks["origin"]
        assert answer.headers["cache-control"] == "no-store"
        retry, error, end = answer.text.split("\n\n")
        assert (retry, end) == ("retry: 1000", ":\n")
        name, _, data = error.partition("\ndata: ")
        assert name == "event: error"
        assert json.loads(data)["code"] == 14
        assert "127.0.0.1" not in answer.text
    assert (await edge.client.get("/api/v1/nowhere", headers=asks)).status_code == 404


async def test_a_slow_answer_is_a_timeout(stack: AsyncExitStack, tmp_path: Path) -> None:
    """A REST caller may set its own limit in gRPC's manner, and gets 504 as a status."""
    gateways = await started(stack, tmp_path)
    edge = await stack.enter_async_context(running_edge(tmp_path, gateways))
    gateways[0].service.list_delay = 5
    answer = await edge.client.get("/api/v1/jobs", headers={"grpc-timeout": "300m"})
    assert answer.status_code == 504
    assert answer.json()["code"] == 4


async def test_sigterm_lets_calls_end(stack: AsyncExitStack, tmp_path: Path) -> None:
    """A call under way is answered in full; then the edge is gone, and with it its child."""
    gateways = await started(stack, tmp_path)
    edge = await stack.enter_async_context(running_edge(tmp_path, gateways))
    children = psutil.Process(edge.process.pid).children()
    gateways[0].service.list_delay = 1
    call = asyncio.create_task(edge.client.get("/api/v1/jobs"))
    await asyncio.sleep(0.4)
    edge.process.send_signal(signal.SIGTERM)
    assert (await call).status_code == 200
    assert await asyncio.wait_for(edge.process.wait(), 5) == 0
    assert not any(child.is_running() for child in children)


async def test_an_open_stream_does_not_hold_up_the_end(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    """Watches never end by themselves; they are cut off after the drain time."""
    gateways = await started(stack, tmp_path)
    edge = await stack.enter_async_context(
        running_edge(tmp_path, gateways, EDGE_DRAIN_SECONDS="0.5")
    )
    async with edge.client.stream("GET", "/api/v1/jobs/forever:watch") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        edge.process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.RemoteProtocolError):
            async for _ in lines:
                pass
    assert await asyncio.wait_for(edge.process.wait(), 5) == 0


async def test_envoy_dies_with_its_parent(stack: AsyncExitStack, tmp_path: Path) -> None:
    """Also when the parent gets no chance to say so."""
    gateways = await started(stack, tmp_path)
    edge = await stack.enter_async_context(running_edge(tmp_path, gateways))
    (envoy,) = psutil.Process(edge.process.pid).children()
    edge.process.kill()
    await asyncio.to_thread(psutil.wait_procs, [envoy], timeout=5)
    assert not envoy.is_running() or envoy.status() == psutil.STATUS_ZOMBIE


async def test_the_access_log_is_json(stack: AsyncExitStack, tmp_path: Path) -> None:
    """One object per call on stdout, with the path that the caller used; probes are left out."""
    gateways = await started(stack, tmp_path)
    async with running_edge(tmp_path, gateways) as edge:
        await edge.client.get("/api/v1/jobs?page_size=3")
    lines = [json.loads(line) for line in edge.log.read_text().splitlines()]
    served = [line for line in lines if line["event"] == "request.served"]
    assert [line["path"] for line in served] == ["/api/v1/jobs?page_size=3"]
    assert served[0]["status"] == 200
    assert served[0]["grpc_status"] == "OK"
