"""What is told of the models? /v1/models, as the facts about Replicate have it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator import problems
from simulator.hostile_models import hostile_schema
from simulator.json_bodies import Json, page
from simulator.model import Model
from simulator.parts import Simulator, simulator_of
from simulator.sizing import file_format
from simulator.spoil import spoil
from simulator.spoil_answer import spoil_answer

PUBLISHED = "2025-10-01T12:00:00.000000Z"


async def models(request: Request) -> Response:
    """GET /v1/models: all of them on one page."""
    sim = simulator_of(request)
    return Json(page([_model_json(sim, request, each, {}) for each in sim.shelf.all()]))


async def model(request: Request) -> Response:
    """GET /v1/models/{owner}/{name}."""
    sim = simulator_of(request)
    faults = sim.faults.for_request("model", _slug(request))
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
    found = sim.shelf.get(_slug(request))
    if found is None:
        return problems.not_found()
    answer = Json(_model_json(sim, request, found, faults))
    return await spoil_answer(sim, request, faults, answer)


async def versions(request: Request) -> Response:
    """Official models list none; their one version stands in `latest_version`."""
    found = simulator_of(request).shelf.get(_slug(request))
    if not found:
        return problems.not_found()
    shown = () if found.official else found.version_ids
    return Json(page([_version_json(found, version, {}) for version in shown]))


async def version(request: Request) -> Response:
    """GET /v1/models/{owner}/{name}/versions/{version}."""
    sim = simulator_of(request)
    faults = sim.faults.for_request("model", _slug(request))
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
    found, version_id = sim.shelf.get(_slug(request)), request.path_params["version"]
    if not found or version_id not in found.version_ids:
        return problems.not_found()
    answer = Json(_version_json(found, version_id, faults))
    return await spoil_answer(sim, request, faults, answer)


def _slug(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _model_json(
    sim: Simulator, request: Request, model: Model, faults: dict[str, str]
) -> dict[str, Any]:
    base = sim.settings.delivery_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
    covers = f"{base}/delivery/mgxm/{model.slug}"
    cover = f"{covers}/cover.webp"
    if "hostile_cover" in faults:
        cover = f"{covers}/{faults['hostile_cover']}"
    return {
        "url": f"https://replicate.com/{model.slug}",
        "owner": model.owner,
        "name": model.name,
        "description": model.description,
        "visibility": "public",
        "is_official": model.official,
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 1_000_000 + int(model.version_ids[0][:6], 16),
        "cover_image_url": cover if model.cover_url is None else model.cover_url,
        "default_example": _example_json(model, f"{covers}/example.{file_format(model, {})}"),
        "latest_version": _version_json(model, model.version_ids[0], faults),
    }


def _version_json(model: Model, version_id: str, faults: dict[str, str]) -> dict[str, Any]:
    schema: Any = model.schema
    if "hostile_schema" in faults:
        schema = hostile_schema(faults["hostile_schema"], model.schema)
    return {
        "id": version_id,
        "created_at": PUBLISHED,
        "cog_version": "0.16.8",
        "openapi_schema": schema,
    }


def _example_json(model: Model, file: str) -> dict[str, Any]:
    """The prediction that the model's page shows: its times are the model's usual ones."""
    words = "text" if "text" in model.by_name else "prompt"
    prediction_id = model.version_ids[0][:26]
    return {
        "id": prediction_id,
        "model": model.slug,
        "version": "hidden" if model.official else model.version_ids[0],
        "input": {words: model.cover} if words in model.by_name else {},
        "output": [file] if model.many else file,
        "logs": "",
        "error": None,
        "status": "succeeded",
        "source": "web",
        "data_removed": False,
        "created_at": PUBLISHED,
        "started_at": PUBLISHED,
        "completed_at": PUBLISHED,
        "metrics": {"predict_time": model.run, "total_time": model.queue + model.run},
        "urls": {
            "get": f"https://api.replicate.com/v1/predictions/{prediction_id}",
            "cancel": f"https://api.replicate.com/v1/predictions/{prediction_id}/cancel",
            "web": f"https://replicate.com/p/{prediction_id}",
        },
    }
