"""What becomes of an error that nobody foresaw, over plain HTTP?"""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from structlog.testing import capture_logs

from gateway.http.app import build
from gateway.http.downloads import Downloads
from gateway.http.endpoints import Endpoints
from gateway.http.jobs import Jobs
from gateway.http.models import ModelPages
from gateway.http.operating import Operating
from gateway.http.uploads import InputFiles
from gateway.http.webhooks import Webhooks


class Broken:
    """Handlers that fail: all before their answer, a download within it."""

    def __getattr__(self, _: str) -> Any:
        return self._fail

    async def _fail(self, _: Request) -> Response:
        raise SystemError("password=hunter2")

    async def artifact(self, _: Request) -> Response:
        async def pieces() -> Any:
            yield b"half"
            raise SystemError("gone")

        return StreamingResponse(pieces())


def client() -> httpx.AsyncClient:
    """Of an application that is broken; what the application raises is raised here too."""
    app = build(
        cast("Jobs", Broken()),
        cast("Downloads", Broken()),
        cast("ModelPages", Broken()),
        cast("InputFiles", Broken()),
        cast("Operating", Broken()),
        cast("Endpoints", Broken()),
        cast("Webhooks", Broken()),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


async def test_an_answered_error_does_not_cost_the_connection() -> None:
    """Raised again, it would close a connection on which the edge has other callers' requests."""
    async with client() as http:
        answer = await http.get("/api/v1/jobs/a")
    assert (answer.status_code, answer.json()["code"]) == (500, 13)
    assert "hunter2" not in answer.text


async def test_half_an_answer_is_broken_off() -> None:
    """Or the caller would take it for the whole."""
    async with client() as http:
        with pytest.raises(SystemError):
            await http.get("/api/v1/jobs/a/artifacts/0")


async def test_a_long_path_is_cut_in_the_log() -> None:
    """A caller decides how long it is, and does not decide how large our log becomes."""
    with capture_logs() as lines:
        async with client() as http:
            await http.get("/" + "x" * 60_000)
    assert [len(line["path"]) for line in lines if line["event"] == "http.finished"] == [512]


async def test_a_webhooks_token_is_in_no_log_line() -> None:
    """Its bearer could name a prediction of ours. Whatever comes of the call."""
    with capture_logs() as lines:
        async with client() as http:
            for method in ("POST", "GET"):
                await http.request(method, "/api/v1/webhooks/replicate/s3cret")
            await http.post("/api/v1/webhooks/replicate/s3cret/more")
    assert len([line for line in lines if line["event"] == "http.finished"]) == 3
    assert "s3cret" not in repr(lines)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/uploads"),
        ("POST", "/api/v1/webhook-secret:rotate"),
        ("DELETE", "/api/v1/webhook-endpoints/a"),
    ],
)
async def test_a_page_changes_nothing_past_the_edge(method: str, path: str) -> None:
    """A POST of plain text, or of nothing, is sent by any site's page without a question before."""
    async with client() as http:
        page = await http.request(method, path, content=b"x", headers={"origin": "http://evil"})
        assert (page.status_code, page.json()["code"]) == (403, 7)
        forged = {"origin": "http://evil", "x-forwarded-host": "evil"}
        assert (await http.request(method, path, headers=forged)).status_code == 403
        through = {"origin": "http://own", "sec-mediagen-edge": "1"}
        assert (await http.request(method, path, headers=through)).status_code == 500
        assert (await http.request(method, path)).status_code == 500
        assert (await http.get("/api/v1/jobs/a", headers={"origin": "http://a"})).status_code == 500
