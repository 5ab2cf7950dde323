"""How is a prediction created, read, listed and canceled? The heart of the API."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator import problems
from simulator.archive import BadCursor, Prediction
from simulator.delivery import make_ahead
from simulator.inputs import (
    check_body,
    check_input,
    find_model,
    parse_cancel_after,
    parse_prefer_wait,
    words_of,
)
from simulator.json_bodies import Json, read_object
from simulator.model import Model
from simulator.parts import Simulator, simulator_of
from simulator.planning import make_plan, new_id
from simulator.predictions import ends_at, observe
from simulator.references import lost_file
from simulator.spoil import spoil, spoil_create
from simulator.spoil_answer import spoil_answer
from simulator.wire import created_json, read_json, sync_processing_json


@dataclass(frozen=True, slots=True)
class Order:
    """A create that passed every check."""

    model: Model
    version: str
    body: Mapping[str, Any]
    cancel_after: float | None


async def create(request: Request) -> Response:
    """POST /v1/predictions and POST /v1/models/{owner}/{name}/predictions."""
    sim = simulator_of(request)
    body = read_object(await request.body())
    if body is None:
        return problems.problem(400, "The request body is not a JSON object.", "Bad request")
    faults = sim.faults.for_request("create", words_of(body.get("input")))
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
    order = _check(sim, request, body)
    if isinstance(order, Response):
        return order
    prediction = _begin(sim, request, order)
    spoiled = await spoil_create(sim, request, faults)
    if spoiled is not None:
        return spoiled
    response = await _answer(sim, request, prediction, "full_create_answer" in faults)
    spoiled = await spoil_answer(sim, request, faults, response)
    prediction.answered = spoiled is response or "wrong_answer_type" in faults
    return spoiled


def _check(sim: Simulator, request: Request, body: Mapping[str, Any]) -> Order | Response:
    by_path = "name" in request.path_params
    model: Model | None = None
    if by_path:
        model = sim.shelf.get(f"{request.path_params['owner']}/{request.path_params['name']}")
        if model is None or not model.official:
            return problems.not_found()
    wrong = check_body(body, needs_version=not by_path)
    if wrong:
        return problems.invalid_input(wrong)
    version = "hidden"
    if model is None:
        found = find_model(sim.shelf, body["version"])
        if found is None:
            return problems.invalid_version()
        model, version = found
    wrong = check_input(model, body["input"], sim.settings.unknown_inputs == "refuse")
    if wrong:
        return problems.invalid_input(wrong)
    header = request.headers.get("cancel-after")
    cancel_after = None if header is None else parse_cancel_after(header)
    if header is not None and cancel_after is None:
        detail = "Cancel-After must be a duration between 5s and 24h, such as 30s, 5m or 1h30m45s"
        return problems.problem(422, detail, "Invalid Cancel-After header")
    return Order(model, version, body, cancel_after)


def _begin(sim: Simulator, request: Request, order: Order) -> Prediction:
    """From here on it exists, and costs what it will cost."""
    body = order.body
    number, prediction_id = sim.created, new_id(sim.settings.seed, sim.created)
    sim.created += 1
    faults = sim.faults.for_prediction(words_of(body["input"]))
    base = f"{request.url.scheme}://{request.url.netloc}"
    now = sim.clock.now()
    plan = make_plan(order.model, prediction_id, faults, sim.settings, now, order.cancel_after)
    lost = lost_file(order.model, body["input"], sim.uploads, min(now + plan.queue, now + 86_400))
    if lost:
        failure = f"The file of {lost} can not be downloaded: 404 Not Found"
        plan = replace(plan, ending="failed", error=failure)
    prediction = Prediction(
        id=prediction_id,
        number=number,
        model=order.model,
        version=faults.get("other_version", order.version),
        input=body["input"],
        base_url=base,
        files_url=sim.settings.delivery_url.rstrip("/") or base,
        plan=plan,
        faults=faults,
        webhook=body.get("webhook"),
        weight=int(request.headers.get("content-length", 0)),
        events=tuple(body.get("webhook_events_filter") or ("output", "completed")),
    )
    sim.archive.add(prediction)
    sim.webhooks.watch(prediction)
    if order.model.makes == "film" and plan.ending == "succeeded" and plan.run:
        sim.making.add(task := asyncio.create_task(make_ahead(sim, prediction)))
        task.add_done_callback(sim.making.discard)
    return prediction


async def _answer(sim: Simulator, request: Request, prediction: Prediction, full: bool) -> Response:
    wait = parse_prefer_wait(request.headers.get("prefer", ""))
    if wait is None:
        moment = observe(prediction.plan, prediction.plan.created_at)
        body = created_json(prediction, moment)
        if full:
            body |= {"output": None, "started_at": None, "completed_at": None, "metrics": {}}
            body |= {"data_removed": False, "source": "api"}
        return Json(body, status_code=201)
    until = sim.clock.now() + wait
    while True:
        end = ends_at(prediction.plan).at
        await sim.clock.sleep_until(min(end, until), prediction.changed)
        now = sim.clock.now()
        moment = observe(prediction.plan, now)
        if moment.terminal or now >= until:
            break
    early = moment.status == "succeeded" and "sync_processing_with_output" in prediction.faults
    body = (sync_processing_json if early else read_json)(prediction, now, sim.gallery)
    headers = {"preference-applied": f"wait={wait:.0f}"}
    return Json(body, status_code=201 if moment.terminal else 202, headers=headers)


async def get(request: Request) -> Response:
    """GET /v1/predictions/{id}."""
    sim = simulator_of(request)
    prediction = sim.find(request.path_params["id"])
    if prediction is not None:
        prediction.gets += 1
    faults = sim.faults.for_request("get", prediction.prompt if prediction else "")
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
    if prediction is None:
        return problems.not_found()
    hidden_for = float(prediction.faults.get("early_404", 0)) / 1000
    now = sim.clock.now()
    if now < prediction.plan.created_at + hidden_for:
        return problems.not_found()
    answer = Json(read_json(prediction, now, sim.gallery))
    return await spoil_answer(sim, request, faults, answer)


async def cancel(request: Request) -> Response:
    """POST /v1/predictions/{id}/cancel; a finished prediction is answered as it is."""
    sim = simulator_of(request)
    prediction = sim.find(request.path_params["id"])
    if prediction is not None:
        prediction.cancels += 1
    faults = sim.faults.for_request("cancel", prediction.prompt if prediction else "")
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
    if prediction is None:
        return problems.not_found()
    now = sim.clock.now()
    if not observe(prediction.plan, now).terminal:
        prediction.plan = replace(prediction.plan, canceled_at=now)
        prediction.changed.set()
    answer = Json(read_json(prediction, now, sim.gallery))
    return await spoil_answer(sim, request, faults, answer)


async def list_page(request: Request) -> Response:
    """GET /v1/predictions: newest first, 100 a page, absolute addresses to go on."""
    sim = simulator_of(request)
    faults = sim.faults.for_request("list", "")
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
    query = request.query_params
    try:
        after = _moment(query.get("created_after"), float("-inf"))
        before = _moment(query.get("created_before"), float("inf"))
    except ValueError:
        return problems.problem(400, "created_after and created_before must be ISO 8601 times.")
    if query.get("source") not in (None, "web"):
        return problems.problem(400, "source must be 'web'.")
    now = sim.clock.now()

    def shown(prediction: Prediction) -> bool:
        created = prediction.plan.created_at
        lag = float(prediction.faults.get("list_lag", 0))
        return after <= created < before and now >= created + lag and "source" not in query

    try:
        page = sim.archive.page(query.get("cursor"), shown)
    except BadCursor:
        return problems.problem(404, "Invalid cursor")

    def address(cursor: str | None) -> str | None:
        return cursor and str(request.url.include_query_params(cursor=cursor))

    answer = Json(
        {
            "next": address(page.next),
            "previous": address(page.previous),
            "results": [read_json(found, now, sim.gallery) for found in page.results],
        }
    )
    return await spoil_answer(sim, request, faults, answer)


def _moment(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
