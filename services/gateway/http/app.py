"""Which paths are plain HTTP, and what becomes of what goes wrong there?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import grpc
import structlog
from google.rpc import code_pb2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.domain import errors
from gateway.domain.errors import GatewayError
from gateway.http.downloads import Downloads
from gateway.http.endpoints import Endpoints
from gateway.http.jobs import Jobs
from gateway.http.models import ModelPages
from gateway.http.operating import Operating
from gateway.http.reading import BodyTooLarge, NotJson
from gateway.http.replies import refusal, refused
from gateway.http.uploads import InputFiles
from gateway.http.webhooks import PREFIX as WEBHOOKS
from gateway.http.webhooks import Webhooks
from gateway.rpc.errors import status_of
from servicekit.validation import InvalidRequest

log = structlog.get_logger()

_LONGEST_PATH = 512
_FROM_THE_EDGE = b"sec-mediagen-edge"
# What HTTP has a status for that is narrower than the one of its gRPC code.
_MORE_EXACT: Mapping[type[Exception], int] = {
    errors.UploadTooLarge: 413,
    errors.UploadTypeRefused: 415,
    errors.UploadForm: 415,
}

_JSON_ONLY = (
    "The body must be JSON in UTF-8, sent with `content-type: application/json` "
    "(curl: -H 'content-type: application/json')."
)


def build(
    jobs: Jobs,
    downloads: Downloads,
    models: ModelPages,
    inputs: InputFiles,
    operating: Operating,
    endpoints: Endpoints,
    webhooks: Webhooks,
) -> ASGIApp:
    """The application. GET answers HEAD too."""
    app = Starlette(
        routes=[
            Route("/api/v1/generate", jobs.submit, methods=["POST"]),
            Route("/api/v1/health", jobs.health, methods=["GET"]),
            Route("/api/v1/status/{job_id}", jobs.get, methods=["GET"]),
            Route("/api/v1/jobs/{job_id}:cancel", jobs.cancel, methods=["POST"]),
            Route("/api/v1/jobs/{job_id}", jobs.get, methods=["GET"]),
            *_file_routes(downloads, models, inputs),
            Route("/api/v1/models:sync", operating.sync_models, methods=["POST"]),
            Route("/api/v1/dead-letters:redrive", operating.redrive, methods=["POST"]),
            Route("/api/v1/dead-letters:discard", operating.discard, methods=["POST"]),
            Route("/api/v1/dead-letters/{job_id}", operating.get, methods=["GET"]),
            *_endpoint_routes(endpoints),
            Route(f"{WEBHOOKS}{{token}}", webhooks.receive, methods=["POST"]),
        ],
        exception_handlers={
            InvalidRequest: _refuse,
            GatewayError: _refuse,
            grpc.aio.AioRpcError: _refuse,
            BodyTooLarge: _too_large,
            NotJson: _not_json,
            HTTPException: _http_refusal,
            ClientDisconnect: _gone,
            Exception: _refuse,
        },
    )
    app.router.redirect_slashes = False
    return _Observed(_PastTheEdge(app))


def _file_routes(downloads: Downloads, models: ModelPages, inputs: InputFiles) -> list[Route]:
    artifact = "/api/v1/jobs/{job_id}/artifacts/{index}"
    model = "/api/v1/models/{owner}/{name}"
    upload = "/api/v1/uploads/{upload_id}"
    return [
        Route(artifact, downloads.artifact, methods=["GET"]),
        Route(f"{artifact}/preview", downloads.preview, methods=["GET"]),
        Route(model, models.get, methods=["GET"]),
        Route(f"{model}/cover", downloads.cover, methods=["GET"]),
        Route("/api/v1/uploads", inputs.create, methods=["POST"]),
        Route(upload, inputs.get, methods=["GET"]),
        Route(f"{upload}/content", downloads.upload, methods=["GET"]),
    ]


def _endpoint_routes(endpoints: Endpoints) -> list[Route]:
    # The verbs first: an id in a path may have any letter but a slash.
    one = "/api/v1/webhook-endpoints/{endpoint_id}"
    redeliver = "/api/v1/webhook-deliveries/{delivery_id}:redeliver"
    return [
        Route("/api/v1/webhook-endpoints", endpoints.create, methods=["POST"]),
        Route(f"{one}:pause", endpoints.pause, methods=["POST"]),
        Route(f"{one}:resume", endpoints.resume, methods=["POST"]),
        Route(f"{one}:ping", endpoints.ping, methods=["POST"]),
        Route(one, endpoints.update, methods=["PATCH"]),
        Route(one, endpoints.delete, methods=["DELETE"]),
        Route("/api/v1/webhook-secret:rotate", endpoints.rotate, methods=["POST"]),
        Route(redeliver, endpoints.redeliver, methods=["POST"]),
    ]


def _refuse(_: Request, error: Exception) -> Response:
    return refusal(status_of(error), _MORE_EXACT.get(type(error)))


def _too_large(_: Request, __: Exception) -> Response:
    return refused(413, code_pb2.INVALID_ARGUMENT, "The body is larger than 2 MiB.")


def _not_json(_: Request, __: Exception) -> Response:
    return refused(415, code_pb2.INVALID_ARGUMENT, _JSON_ONLY, accept="application/json")


def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


def _http_refusal(request: Request, error: Exception) -> Response:
    """404 and 405 of the router."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"{request.method} is not a method of this path."
        allow = (error.headers or {}).get("allow") or (error.headers or {}).get("Allow", "")
        return refused(405, code_pb2.UNIMPLEMENTED, message, allow=allow)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return refused(404, code_pb2.NOT_FOUND, "There is nothing at this path.")
    return refused(error.status_code, code_pb2.INVALID_ARGUMENT, error.detail)


class _PastTheEdge:
    """Refuses what a browser's page would change here without the edge, which knows who may.

    Any site's page can send a POST to an address of this machine and is not asked before, or have
    its own name lead here. But no script can add a header whose name begins with "sec-", as the
    edge does to all that comes through it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            names = {name for name, _ in scope["headers"]}
            if b"origin" in names and _FROM_THE_EDGE not in names:
                said = "Pages change things through the edge, and not here."
                await refused(403, code_pb2.PERMISSION_DENIED, said)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Observed:
    """Binds the caller's request id, and writes one log line per request.

    Starlette raises an unforeseen error again after it was answered; uvicorn would then close the
    connection, and the edge give 503 to another caller whose request was already on it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, answered = 0, False
        begin = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body")

        with structlog.contextvars.bound_contextvars(**_origin(scope)):
            try:
                await self._app(scope, receive, noted)
            except Exception:
                # Logged by _refuse. An answer that is not whole can only be broken off.
                if not (answered and status == HTTPStatus.INTERNAL_SERVER_ERROR):
                    raise
            finally:
                log.info(
                    "http.finished",
                    method=scope["method"],
                    path=_shown(scope["path"]),
                    status=status,
                    seconds=round(time.perf_counter() - begin, 4),
                )


def _shown(path: str) -> str:
    """The path for the log. A webhook's ends with what only the provider may know."""
    return f"{WEBHOOKS}…" if path.startswith(WEBHOOKS) else path[:_LONGEST_PATH]


def _origin(scope: Scope) -> dict[str, Any]:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return {"request_id": value.decode("latin-1")[:128]}
    return {}
