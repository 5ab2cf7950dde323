"""Do files go through the edge as they come, and models by their two-part names?

The real Envoy in front of a real gateway, whose store is in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from mediagen.store.v1.catalogue_service_pb2 import ReadModelResponse
from mediagen.store.v1.job_store_service_pb2 import CreateJobRequest
from tests.integration.edge_stub import RunningEdge, running_edge
from tests.integration.gateway_bench import Gateway, running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = b"\x89PNG\r\n\x1a\n"
MIB = 1024 * 1024
MOST = 8 * MIB
PATH = "/api/v1/uploads"


@dataclass
class Both:
    """An edge, and the gateway behind it."""

    edge: RunningEdge
    gateway: Gateway

    @property
    def http(self) -> httpx.AsyncClient:
        return self.edge.client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    folder = tmp_path_factory.mktemp("files")
    async with (
        running_gateway(folder / "gateway", max_upload_bytes=MOST) as gateway,
        running_edge(folder, [gateway]) as edge,
    ):
        yield Both(edge, gateway)


@pytest.fixture
def both(shared: Both) -> Both:
    """Without what other tests left."""
    shared.gateway.files.begun.clear()
    shared.gateway.files.uploads.clear()
    for each in _stored(shared.gateway):
        each.unlink()
    return shared


def _stored(gateway: Gateway) -> list[Path]:
    return [each for each in gateway.artifacts.rglob("*") if each.is_file()]


async def test_an_upload_is_not_held_back(both: Both) -> None:
    """Its first bytes are at the gateway before its last ones are sent, however many."""
    begun = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield PNG + bytes(MIB)
        async with asyncio.timeout(10):
            while not both.gateway.files.begun:
                await asyncio.sleep(0.02)
        begun.set()
        for _ in range(4):
            yield bytes(MIB)

    answer = await both.http.post(PATH, content=pieces())
    assert begun.is_set()
    assert (answer.status_code, int(answer.json()["size_bytes"])) == (200, 5 * MIB + 8)
    content = await both.http.get(f"{PATH}/{answer.json()['upload_id']}/content")
    assert len(content.content) == 5 * MIB + 8
    assert content.headers["repr-digest"].startswith("sha-256=:")


async def test_an_upload_is_refused_in_the_middle_of_it(both: Both) -> None:
    """With the words of the gateway, whether its length was said or not."""

    async def pieces(count: int) -> AsyncIterator[bytes]:
        yield PNG
        for _ in range(count):
            yield bytes(MIB)

    said = await both.http.post(PATH, content=PNG + bytes(2 * MOST))
    unsaid = await both.http.post(PATH, content=pieces(24))
    for answer in (said, unsaid):
        assert answer.status_code == 413
        [info] = [e for e in answer.json()["details"] if e["@type"].endswith("ErrorInfo")]
        assert (info["reason"], info["metadata"]) == (
            "ERROR_REASON_UPLOAD_REFUSED",
            {"limit": str(MOST)},
        )
    typed = await both.http.post(PATH, content=b"<svg>" + bytes(4 * MIB))
    assert typed.status_code == 415
    assert "ERROR_REASON_UPLOAD_REFUSED" in typed.text
    assert both.gateway.files.uploads == {}
    # Nobody else's request met the end of a connection.
    for _ in range(20):
        assert (await both.http.get("/api/v1/models/a/b")).status_code == 200


async def test_a_page_uploads_through_the_edge_and_not_past_it(both: Both) -> None:
    """Only the edge knows whose pages may; it says so in a way that no page can."""
    own = {"origin": f"http://127.0.0.1:{both.edge.port}"}
    assert (await both.http.post(PATH, content=PNG, headers=own)).status_code == 200
    foreign = {"origin": "http://evil.example", "content-type": "text/plain"}
    assert (await both.http.post(PATH, content=PNG, headers=foreign)).status_code == 403
    past = await both.gateway.http.post(PATH, content=PNG, headers=foreign)
    assert (past.status_code, past.json()["code"]) == (403, 7)
    assert len(both.gateway.files.uploads) == 1


async def test_who_goes_half_way_leaves_nothing(both: Both) -> None:
    """The edge passes the end on as what it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", both.edge.port)
    head = f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {MIB}\r\n\r\n"
    writer.write(head.encode() + PNG + bytes(10_000))
    await writer.drain()
    async with asyncio.timeout(10):
        while not both.gateway.files.begun:
            await asyncio.sleep(0.02)
    writer.close()
    await asyncio.sleep(0.5)
    assert both.gateway.files.uploads == {}
    assert _stored(both.gateway) == []
    assert reader is not None


async def test_models_by_their_two_part_names(both: Both) -> None:
    """Transcoded by Envoy or answered by the gateway, each path is the right one."""
    both.gateway.catalogue.add("some-one/model_1.5")
    listed = await both.http.get("/api/v1/models?page_size=5&output_kind=OUTPUT_KIND_IMAGE&query=a")
    assert [each["name"] for each in listed.json()["models"]] == ["a/b", "some-one/model_1.5"]
    model = await both.http.get("/api/v1/models/some-one/model_1.5")
    assert (model.status_code, model.json()["name"]) == (200, "some-one/model_1.5")
    assert model.json()["input_schema"]["required"] == ["prompt"]
    missing = await both.http.get("/api/v1/models/some-one/else")
    assert (missing.status_code, missing.json()["code"]) == (404, 5)
    assert "ERROR_REASON_MODEL_NOT_FOUND" in missing.text
    assert (await both.http.get("/api/v1/models/a/b/cover")).status_code == 404
    assert (await both.http.get("/api/v1/models/a")).status_code == 404
    for path, allow in (
        ("/api/v1/models/a/b", "GET, HEAD"),
        (f"{PATH}/0198b2f0-0000-7000-8000-000000000000/content", "GET, HEAD"),
    ):
        wrong = await both.http.post(path)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, allow)
    assert (await both.http.get(PATH)).status_code == 405


async def test_a_model_that_is_looked_up_may_take_its_time(both: Both) -> None:
    """Longer than other calls, and within what the edge allows one."""
    both.gateway.catalogue.say("new/one", ReadModelResponse.OUTCOME_UNREAD)
    answer = await both.http.post("/api/v1/generate", json={"model": "new/one", "prompt": "p"})
    assert (answer.status_code, answer.json()["code"]) == (503, 14)
    assert answer.headers["retry-after"] == "5"
    assert not [e for e in both.gateway.store.seen if isinstance(e, CreateJobRequest)]
