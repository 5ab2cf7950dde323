"""Which pages may call the API (the edge's own, ALLOWED_ORIGINS), and by which host names?"""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

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
FRIEND, STRANGER = "https://friend.example", "https://stranger.example"
CORS = "access-control-"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StubGateway]:
    """The stub behind the edge."""
    async with stub_gateway(tmp_path_factory.mktemp("gateway")) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(
    gateway: StubGateway, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningEdge]:
    """An edge with one allowed origin, and two names beside those of this machine."""
    folder = tmp_path_factory.mktemp("edge")
    named = {"EDGE_HOSTS": "media.example", "PUBLIC_URL": "https://public.example/media"}
    async with running_edge(folder, [gateway], ALLOWED_ORIGINS=FRIEND, **named) as started:
        yield started


def cors_headers(answer: httpx.Response) -> list[str]:
    """The names of the CORS headers of an answer."""
    return [name for name in answer.headers if name.startswith(CORS)]


@pytest.mark.parametrize(
    "path", ["/api/v1/generate", "/api/v1/jobs/abc:events", f"/{SERVICE}/GetJob"]
)
async def test_preflights_say_yes_to_friends_only(edge: RunningEdge, path: str) -> None:
    """For REST, server-sent events and gRPC-Web alike."""
    ask = {"access-control-request-method": "POST", "access-control-request-headers": "x-grpc-web"}
    yes = await edge.client.options(path, headers={"origin": FRIEND, **ask})
    assert yes.status_code == 200
    assert yes.headers[CORS + "allow-origin"] == FRIEND
    assert "last-event-id" in yes.headers[CORS + "allow-headers"]
    no = await edge.client.options(path, headers={"origin": STRANGER, **ask})
    assert no.status_code == 403
    assert not cors_headers(no)


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/jobs/three:events", "/api/v1/nowhere"])
async def test_answers_can_be_read_by_friends_only(edge: RunningEdge, path: str) -> None:
    """A browser keeps the answer from a page without the header; errors are readable too."""
    friend = await edge.client.get(path, headers={"origin": FRIEND})
    stranger = await edge.client.get(path, headers={"origin": STRANGER})
    assert not cors_headers(stranger)
    if path != "/api/v1/nowhere":
        assert friend.headers[CORS + "allow-origin"] == FRIEND
        assert "origin" in stranger.headers["vary"].lower()
        assert "x-request-id" in friend.headers[CORS + "expose-headers"]


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://friend.example.evil.test"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/generate", "/api/v1/jobs/abc:cancel", "/api/v1/uploads?file_name=a",
        f"/{SERVICE}/SubmitJob",
    ],
)  # fmt: skip
async def test_a_strangers_page_changes_nothing(
    edge: RunningEdge, gateway: StubGateway, path: str, origin: str
) -> None:
    """A form needs no preflight: the call itself is refused, before any gateway."""
    before = gateway.service.calls + len(gateway.http.requests)
    kind = "application/grpc-web+proto" if SERVICE in path else "text/plain"
    answer = await edge.client.post(
        path, content=b"{}", headers={"origin": origin, "content-type": kind}
    )
    assert answer.status_code == 403
    assert answer.json()["code"] == 7
    assert not cors_headers(answer)
    assert gateway.service.calls + len(gateway.http.requests) == before


async def test_own_pages_friends_and_programs_may_submit(edge: RunningEdge) -> None:
    """Programs send no origin; own pages send that of the port that served them."""
    own = [f"http://127.0.0.1:{port}" for port in (edge.port, edge.web_port)]
    for port, origin in zip((edge.port, edge.web_port), own, strict=True):
        url = f"http://127.0.0.1:{port}/api/v1/generate"
        answer = await edge.client.post(url, content=b"{}", headers={"origin": origin})
        assert answer.status_code == 200
    friend = await edge.client.post("/api/v1/generate", content=b"{}", headers={"origin": FRIEND})
    assert friend.headers[CORS + "allow-origin"] == FRIEND
    assert (await edge.client.post("/api/v1/generate", content=b"{}")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/v1/jobs", "/api/v1/generate"])
async def test_a_foreign_name_for_this_address_reaches_nothing(
    edge: RunningEdge, gateway: StubGateway, host: str, method: str, path: str
) -> None:
    """DNS rebinding: the page is of the same origin as the edge, by a name of its own."""
    before = gateway.service.calls + len(gateway.http.requests)
    headers = {"host": host, "origin": f"http://{host}"}
    answer = await edge.client.request(method, path, content=b"{}", headers=headers)
    assert answer.status_code == 421
    assert answer.json()["code"] == 7
    assert "EDGE_HOSTS" in answer.json()["message"]
    assert not cors_headers(answer)
    assert gateway.service.calls + len(gateway.http.requests) == before


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:1", "127.0.0.1", "[::1]:8000", "media.example", "public.example"],
)
async def test_own_names_are_answered_with_any_port(edge: RunningEdge, host: str) -> None:
    """A published port or a proxy may be another one than the edge's own."""
    answer = await edge.client.get("/api/v1/jobs", headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(("authority", "known"), [("localhost:1", True), ("evil.example:1", False)])
async def test_grpc_is_held_to_the_same_names(
    edge: RunningEdge, authority: str, known: bool
) -> None:
    """A foreign authority is PERMISSION_DENIED, in words that name the setting."""
    options = [("grpc.default_authority", authority)]
    async with grpc.aio.insecure_channel(edge.target, options=options) as channel:
        stub: Any = service_grpc.GenerationServiceStub(channel)
        call = stub.GetJob(service_pb2.GetJobRequest(job_id="abc"))
        if known:
            assert (await call).job.job_id == "abc"
            return
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "EDGE_HOSTS" in str(caught.value.details())
