"""REST through the real Envoy: what reaches the gateway, and what comes back."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.integration.edge_stub import RunningEdge, StubGateway, running_edge, stub_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
PICTURE_BYTES = 10_240


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
    async with running_edge(
        tmp_path_factory.mktemp("edge"), [gateway], EDGE_HOSTS="media.example"
    ) as started:
        yield started


def status_of(answer: httpx.Response, http: int, code: int) -> dict[str, Any]:
    """The google.rpc.Status of an error, after checking that it is one."""
    assert answer.status_code == http, answer.text
    assert answer.headers["content-type"] == "application/json"
    status: dict[str, Any] = answer.json()
    assert status["code"] == code
    assert status["message"]
    return status


async def test_a_list_is_transcoded_with_the_protos_names(edge: RunningEdge) -> None:
    """snake_case, states as words, and no trace of gRPC in the headers."""
    answer = await edge.client.get("/api/v1/jobs", params={"states": ["STATE_PENDING"]})
    assert answer.status_code == 200
    assert answer.json()["jobs"][0]["job_id"] == "one"
    assert answer.json()["jobs"][0]["state"] == "STATE_PENDING"
    assert answer.json()["next_page_token"] == ""
    assert not [name for name in answer.headers if name.startswith("grpc-")]


async def test_bare_jobs_come_from_the_plain_http_side(edge: RunningEdge) -> None:
    """Status and job by id have no wrapper around the job."""
    for path in ("/api/v1/status/abc", "/api/v1/jobs/abc"):
        assert (await edge.client.get(path)).json() == {"job_id": "abc"}


async def test_a_large_prompt_reaches_the_gateway(edge: RunningEdge) -> None:
    """1 MB comes through whole, so that the gateway can refuse it in the documented way."""
    answer = await edge.client.post("/api/v1/generate", content=b"a" * 2**20)
    assert answer.json() == {"job_id": "plain", "length": 2**20}


async def test_a_body_over_two_mebibytes_is_refused(
    edge: RunningEdge, gateway: StubGateway
) -> None:
    """413, and the gateway never sees it."""
    before = len(gateway.http.requests)
    answer = await edge.client.post("/api/v1/generate", content=b"a" * 3_000_000)
    status_of(answer, 413, 3)
    assert len(gateway.http.requests) == before


async def test_the_callers_host_is_told_to_the_gateway(
    edge: RunningEdge, gateway: StubGateway
) -> None:
    """Artifact URLs are absolute: they are made of what the caller reached."""
    headers = {"host": "media.example:8000", "x-forwarded-host": "evil.test"}
    await edge.client.get("/api/v1/status/abc", headers=headers)
    seen = gateway.http.requests[-1][2]
    assert seen["x-forwarded-host"] == "media.example:8000"
    assert seen["x-forwarded-proto"] == "http"
    await edge.client.get("/api/v1/jobs", headers=headers)
    assert gateway.service.last_metadata["x-forwarded-host"] == "media.example:8000"


@pytest.mark.parametrize(
    ("method", "path", "http", "code", "reason"),
    [
        ("GET", "/nowhere", 404, 5, "PATH_NOT_FOUND"),
        ("GET", "/api/v1/nowhere", 404, 5, "PATH_NOT_FOUND"),
        ("GET", "/api/v1/jobs/abc:explode", 404, 5, "PATH_NOT_FOUND"),
        ("DELETE", "/api/v1/jobs", 405, 12, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/generate", 405, 12, "METHOD_NOT_ALLOWED"),
        ("POST", "/api/v1/health", 405, 12, "METHOD_NOT_ALLOWED"),
        ("POST", "/docs", 405, 12, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/jobs?nope=1", 400, 3, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs?page_size=many", 400, 3, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs?states=STATE_DONE", 400, 3, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs/a%2Fb", 400, 3, "BAD_REQUEST"),
        ("POST", "/mediagen.v1.GenerationService/GetJob", 415, 3, "NOT_GRPC"),
        ("POST", "/mediagen.store.v1.JobStoreService/GetJob", 404, 5, "PATH_NOT_FOUND"),
    ],
)
async def test_errors_of_the_edge_are_statuses(
    edge: RunningEdge, method: str, path: str, http: int, code: int, reason: str
) -> None:
    """What Envoy refuses by itself looks like what the gateway refuses."""
    answer = await edge.client.request(method, path)
    status = status_of(answer, http, code)
    assert status["details"][0]["reason"] == reason
    if http == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("size", [20_000, 50_000, 80_000])
async def test_headers_that_are_too_large_are_refused(edge: RunningEdge, size: int) -> None:
    """431 as a status, too, and before a gateway refuses them in gRPC's own words."""
    answer = await edge.client.get("/api/v1/jobs", headers={"x-large": "a" * size})
    status_of(answer, 431, 3)


async def test_a_long_path_is_cut_in_the_access_log(edge: RunningEdge) -> None:
    """A caller does not decide how long the lines of the log are."""
    await edge.client.get("/api/v1/long-" + "a" * 5_000)
    async with asyncio.timeout(15):  # Envoy writes its log every ten seconds
        while b"/api/v1/long-aaa" not in edge.log.read_bytes():
            await asyncio.sleep(0.1)
    assert b"a" * 400 in edge.log.read_bytes()
    assert b"a" * 600 not in edge.log.read_bytes()


async def test_errors_of_the_gateway_keep_their_details(edge: RunningEdge) -> None:
    """The gRPC status arrives as JSON with its HTTP status, details and any letters."""
    answer = await edge.client.get("/api/v1/jobs", params={"page_token": "other"})
    status = status_of(answer, 400, 3)
    assert status["message"] == "bad page_token ✗"
    (violation,) = status["details"][0]["field_violations"]
    assert violation["field"] == "page_token"


async def test_health_keeps_its_body_when_it_is_503(
    edge: RunningEdge, gateway: StubGateway
) -> None:
    """The details of an unhealthy service are the service's own, not an error of the edge."""
    gateway.http.health_status = 503
    answer = await edge.client.get("/api/v1/health")
    gateway.http.health_status = 200
    assert answer.status_code == 503
    assert answer.json() == {"status": "SERVING"}


async def test_artifacts_are_plain_downloads(edge: RunningEdge) -> None:
    """Length, type, ETag and ranges pass the edge, for GET and for HEAD."""
    path = "/api/v1/jobs/abc/artifacts/0"
    head = await edge.client.head(path)
    assert head.headers["content-length"] == str(PICTURE_BYTES)
    assert head.headers["content-type"] == "image/webp"
    assert head.headers["etag"]
    part = await edge.client.get(path, headers={"range": "bytes=256-511"})
    assert part.status_code == 206
    assert part.content == bytes(range(256))
    assert part.headers["content-range"] == f"bytes 256-511/{PICTURE_BYTES}"
    missing = await edge.client.get(path, headers={"range": "bytes=99999-"})
    assert missing.status_code == 416


async def lines_with_times(
    edge: RunningEdge, path: str, **headers: str
) -> tuple[httpx.Response, list[tuple[float, str]]]:
    """The non-empty lines of a stream, and when each came, in seconds."""
    start = time.monotonic()
    async with edge.client.stream("GET", path, headers=headers) as answer:
        lines = [(time.monotonic() - start, line) async for line in answer.aiter_lines() if line]
    return answer, lines


@pytest.mark.parametrize(
    ("accept", "content_type", "prefix"),
    [
        ("*/*", "application/x-ndjson", '{"update":{'),
        ("text/event-stream", "text/event-stream", 'data: {"update":{'),
    ],
)
async def test_a_watch_sends_each_message_at_once(
    edge: RunningEdge, accept: str, content_type: str, prefix: str
) -> None:
    """NDJSON, or server-sent events for who asks for them; nothing is held back."""
    answer, lines = await lines_with_times(edge, "/api/v1/jobs/three:watch", accept=accept)
    assert answer.headers["content-type"] == content_type
    assert len(lines) == 3
    assert all(line.startswith(prefix) for _, line in lines)
    # The stub waits 0.3 s after each: all at once would mean that something buffers.
    assert lines[2][0] - lines[0][0] > 0.4


async def test_an_error_before_the_first_message_has_its_status(edge: RunningEdge) -> None:
    """Also on a stream, and as JSON whatever the stream would have been."""
    for accept in ("*/*", "text/event-stream"):
        answer = await edge.client.get("/api/v1/jobs/missing:watch", headers={"accept": accept})
        status = status_of(answer, 404, 5)
        assert status["details"][0]["reason"] == "ERROR_REASON_JOB_NOT_FOUND"


async def test_events_resume_behind_the_last_event_id(edge: RunningEdge) -> None:
    """EventSource's header reaches the gateway; its frames come back as they are."""
    answer, lines = await lines_with_times(
        edge, "/api/v1/jobs/three:events", **{"last-event-id": "7"}
    )
    assert answer.headers["content-type"] == "text/event-stream"
    assert [line for _, line in lines][:3] == ["id: 8", "event: update", 'data: {"revision": 8}']
    assert lines[-1][0] - lines[0][0] > 0.4


async def test_a_watcher_that_leaves_is_noticed(edge: RunningEdge, gateway: StubGateway) -> None:
    """The gateway's stream ends with the caller's connection."""
    before = gateway.service.ended_watches
    async with edge.client.stream("GET", "/api/v1/jobs/forever:watch") as answer:
        async for _ in answer.aiter_lines():
            break
    async with asyncio.timeout(5):
        while gateway.service.ended_watches == before:
            await asyncio.sleep(0.05)


async def test_the_web_port_serves_the_same(edge: RunningEdge) -> None:
    """One set of routes on both ports."""
    for path in ("/", "/api/v1/jobs", "/docs"):
        answer = await edge.client.get(f"http://127.0.0.1:{edge.web_port}{path}")
        assert answer.status_code == 200
