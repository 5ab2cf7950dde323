"""Which pages may call the API: the edge's own, those of ALLOWED_ORIGINS, and no others."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

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
    """An edge with one allowed origin."""
    folder = tmp_path_factory.mktemp("edge")
    async with running_edge(folder, [gateway], ALLOWED_ORIGINS=FRIEND) as started:
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
    "path", ["/api/v1/generate", "/api/v1/jobs/abc:cancel", f"/{SERVICE}/SubmitJob"]
)
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
