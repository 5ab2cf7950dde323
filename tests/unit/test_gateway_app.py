"""What becomes of an error that nobody foresaw, over plain HTTP?"""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from structlog.testing import capture_logs

from gateway.http.app import build
from gateway.http.artifacts import Downloads
from gateway.http.endpoints import Endpoints
from gateway.http.jobs import Jobs
from gateway.http.operating import Operating
from gateway.http.webhooks import Webhooks


class Broken:
    """Handlers that fail: all before their answer, a download within it."""

    def __getattr__(self, _: str) -> Any:
        return self._fail

    async def _fail(self, _: Request) -> Response:
        raise SystemError("password=hunter2")

    async def get(self, request: Request) -> Response:
        if "artifacts" not in request.url.path:
            return await self._fail(request)

        async def pieces() -> Any:
            yield b"half"
            raise SystemError("gone")

        return StreamingResponse(pieces())


def client() -> httpx.AsyncClient:
    """Of an application that is broken; what the application raises is raised here too."""
    app = build(
        cast("Jobs", Broken()),
        cast("Downloads", Broken()),
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
