"""How is the simulator put together? Routes, the guard around them, and `build`."""

from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator import (
    delivery,
    problems,
    routes_account,
    routes_control,
    routes_files,
    routes_models,
    routes_predictions,
)
from simulator.archive import Archive, Prediction
from simulator.clock import Clock, WallClock
from simulator.faults import FaultRule, Faults
from simulator.ledger import Ledger
from simulator.limits import Limits
from simulator.parts import Simulator
from simulator.pictures import Gallery
from simulator.settings import Settings
from simulator.shelf import Shelf
from simulator.uploads import Uploads
from simulator.webhooks import Webhooks
from simulator.wire import read_json

PREDICTIONS = "/v1/predictions"
MODEL = "/v1/models/{owner}/{name}"
ROUTES = [
    Route(PREDICTIONS, routes_predictions.create, methods=["POST"]),
    Route(PREDICTIONS, routes_predictions.list_page, methods=["GET"]),
    Route(f"{PREDICTIONS}/{{id}}", routes_predictions.get, methods=["GET"]),
    Route(f"{PREDICTIONS}/{{id}}/cancel", routes_predictions.cancel, methods=["POST"]),
    Route(f"{MODEL}/predictions", routes_predictions.create, methods=["POST"]),
    Route("/v1/models", routes_models.models),
    Route(MODEL, routes_models.model),
    Route(f"{MODEL}/versions", routes_models.versions),
    Route(f"{MODEL}/versions/{{version}}", routes_models.version),
    Route("/v1/account", routes_account.account),
    Route("/v1/hardware", routes_account.hardware),
    Route("/v1/webhooks/default/secret", routes_account.webhook_secret),
    Route("/v1/files", routes_files.upload, methods=["POST"]),
    Route("/v1/files", routes_files.uploads, methods=["GET"]),
    Route("/v1/files/{id}", routes_files.uploaded, methods=["GET"]),
    Route("/v1/files/{id}", routes_files.remove_upload, methods=["DELETE"]),
    Route("/v1/files/{id}/download", routes_files.download_upload),
    Route("/delivery/xezq/{id}/{file}", delivery.file),
    Route("/_simulator/faults", routes_control.faults, methods=["GET"]),
    Route("/_simulator/faults", routes_control.set_faults, methods=["PUT", "POST"]),
    Route("/_simulator/faults", routes_control.clear_faults, methods=["DELETE"]),
    Route("/delivery/mgxm/{owner}/{name}/{file}", delivery.cover),
    Route("/_simulator/models/{owner}/{name}", routes_control.change_model, methods=["PUT"]),
    Route("/_simulator/models/{owner}/{name}", routes_control.reset_model, methods=["DELETE"]),
    Route("/_simulator/finish", routes_control.finish, methods=["POST"]),
    Route("/_simulator/ledger", routes_control.ledger, methods=["GET"]),
    Route("/_simulator/ledger", routes_control.reset_ledger, methods=["DELETE"]),
    Route("/readyz", routes_control.readyz),
]


class Guard:
    """What stands in front of the API: token, rate limits, and the headers of every answer."""

    def __init__(self, app: ASGIApp, simulator: Simulator) -> None:
        self._app, self._sim = app, simulator
        self._served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._served += 1
        more = {
            "server": "cloudflare",
            "cf-ray": f"{self._served:016x}-SIM",
            "date": formatdate(self._sim.clock.now(), usegmt=True),
        }
        refusal: Response | None = None
        path: str = scope["path"]
        if path.startswith("/v1/") and not path.endswith("/download"):
            refusal = self._admit(scope, more)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in more.items():
                    # Limits were seen on successes only; a refusal tells them in its own way.
                    if message["status"] < 400 or not name.startswith("ratelimit-"):
                        headers[name] = value
                if message["status"] >= 400 and path.startswith("/v1/"):
                    self._sim.ledger.refused[str(message["status"])] += 1
            await send(message)

        await (refusal or self._app)(scope, receive, send_with_headers)

    def _admit(self, scope: Scope, more: dict[str, str]) -> Response | None:
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not token.strip():
            return problems.unauthenticated()
        creates = scope["method"] == "POST" and scope["path"].endswith("/predictions")
        bucket = self._sim.limits.creates if creates else self._sim.limits.others
        taken = bucket.take(self._sim.clock.now())
        more |= {"ratelimit-remaining": str(int(bucket.left)), "ratelimit-reset": "1"}
        if taken or not self._sim.settings.enforce_limits:
            return None
        return problems.throttled(max(1, round(bucket.wait())))


def build(
    settings: Settings, clock: Clock | None = None, faults: Iterable[FaultRule] = ()
) -> tuple[Guard, Simulator]:
    """The ASGI application and the state behind it."""
    clock = clock or WallClock()
    gallery, ledger = Gallery(shared=settings.instant), Ledger()

    def snapshot(prediction: Prediction) -> dict[str, Any]:
        return read_json(prediction, clock.now(), gallery)

    simulator = Simulator(
        settings=settings,
        clock=clock,
        shelf=Shelf(),
        archive=Archive(settings.keep),
        faults=Faults(settings.seed),
        ledger=ledger,
        limits=Limits(settings.creates_per_minute, settings.creates_burst),
        gallery=gallery,
        uploads=Uploads(),
        webhooks=Webhooks(clock, ledger, settings.seed, snapshot, settings.webhook_secret),
        connections={},
    )
    for rule in faults:
        simulator.faults.add(rule)
    app = Starlette(routes=ROUTES, exception_handlers={404: _not_found})
    app.state.simulator = simulator
    return Guard(app, simulator), simulator


async def _not_found(request: object, error: Exception) -> Response:
    return problems.not_found()
