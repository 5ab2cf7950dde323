"""How do tests steer the simulator? /_simulator: faults, models, and the billing ledger."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.fault_kinds import KINDS
from simulator.faults import rule_from_json
from simulator.json_bodies import Json, read_object
from simulator.parts import simulator_of
from simulator.predictions import observe
from simulator.shelf import ChangeError


async def readyz(request: Request) -> Response:
    return Json({"status": "SERVING"})


async def faults(request: Request) -> Response:
    """GET: the rules in force and the table of kinds."""
    return Json(
        {
            "active": [rule.as_json() for rule in simulator_of(request).faults.rules],
            "kinds": [
                {
                    "name": kind.name,
                    "does": kind.does,
                    "argument": kind.argument,
                    "default": kind.default,
                    "scope": kind.scope,
                }
                for kind in KINDS
            ],
        }
    )


async def set_faults(request: Request) -> Response:
    """PUT replaces the rules in force, POST adds to them; a rule or a list of rules."""
    sim = simulator_of(request)
    try:
        given = json.loads(await request.body())
        specs: list[Mapping[str, Any]] = given if isinstance(given, list) else [given]
        rules = [rule_from_json(spec) for spec in specs]
    except (ValueError, TypeError, AttributeError) as error:
        return Json({"detail": str(error)}, status_code=422)
    if request.method == "PUT":
        sim.faults.clear()
    for rule in rules:
        sim.faults.add(rule)
    return await faults(request)


async def clear_faults(request: Request) -> Response:
    simulator_of(request).faults.clear()
    return Response(status_code=204)


async def change_model(request: Request) -> Response:
    """PUT: change a model from now on, or add one; see `Shelf.change`."""
    spec = read_object(await request.body())
    if spec is None:
        return Json({"detail": "the body is not a JSON object"}, status_code=422)
    slug = f"{request.path_params['owner']}/{request.path_params['name']}"
    try:
        simulator_of(request).shelf.change(slug, spec)
    except (ChangeError, TypeError, ValueError) as error:
        return Json({"detail": str(error)}, status_code=422)
    return Response(status_code=204)


async def reset_model(request: Request) -> Response:
    """DELETE: as it was, or gone if it was added."""
    slug = f"{request.path_params['owner']}/{request.path_params['name']}"
    simulator_of(request).shelf.reset(slug)
    return Response(status_code=204)


async def finish(request: Request) -> Response:
    """POST: what runs now, for prompts that contain `?match=`, ends now as it would have ended."""
    sim = simulator_of(request)
    match, now = request.query_params.get("match", ""), sim.clock.now()
    for prediction in sim.archive.all():
        plan = prediction.plan
        if match in prediction.prompt and observe(plan, now).status == "processing":
            ran = now - plan.created_at - plan.queue
            prediction.plan = replace(plan, run=ran)
            prediction.changed.set()
    return Response(status_code=204)


async def ledger(request: Request) -> Response:
    """GET, with `?match=` for the predictions whose prompt contains it."""
    sim = simulator_of(request)
    match = request.query_params.get("match", "")
    return Json(sim.ledger.as_json(sim.archive.all(), sim.clock.now(), match))


async def reset_ledger(request: Request) -> Response:
    sim = simulator_of(request)
    sim.ledger.reset(sim.created)
    return Response(status_code=204)
