"""What else is there under /v1? The account, models and their versions, hardware, uploads."""

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator import problems
from simulator.catalogue import BY_SLUG, MODELS, Model
from simulator.json_bodies import Json
from simulator.parts import Simulator, simulator_of
from simulator.uploads import KEPT_FOR, MOST_BYTES, Upload, parse_multipart
from simulator.wire import stamp

PUBLISHED = "2025-10-01T12:00:00.000000Z"
HARDWARE = (
    ("CPU", "cpu"),
    ("Nvidia T4 GPU", "gpu-t4"),
    ("Nvidia L40S GPU", "gpu-l40s"),
    ("Nvidia A100 (80GB) GPU", "gpu-a100-large"),
    ("Nvidia H100 GPU", "gpu-h100"),
)


async def account(request: Request) -> Response:
    return Json(
        {
            "type": "organization",
            "username": "simulator",
            "name": "Simulated account",
            "github_url": None,
            "avatar_url": None,
        }
    )


async def hardware(request: Request) -> Response:
    return Json([{"name": name, "sku": sku} for name, sku in HARDWARE])


async def webhook_secret(request: Request) -> Response:
    return Json({"key": simulator_of(request).webhooks.secret})


async def models(request: Request) -> Response:
    return Json(_page([_model_json(model) for model in MODELS]))


async def model(request: Request) -> Response:
    found = _find(request)
    return Json(_model_json(found)) if found else problems.not_found()


async def versions(request: Request) -> Response:
    """Official models list none; their one version stands in `latest_version`."""
    found = _find(request)
    if not found:
        return problems.not_found()
    shown = () if found.official else found.version_ids
    return Json(_page([_version_json(found, version) for version in shown]))


async def version(request: Request) -> Response:
    found = _find(request)
    version_id = request.path_params["version"]
    if not found or version_id not in found.version_ids:
        return problems.not_found()
    return Json(_version_json(found, version_id))


async def upload(request: Request) -> Response:
    """POST /v1/files: part `content`, optional part `metadata`."""
    sim = simulator_of(request)
    if int(request.headers.get("content-length", 0)) > MOST_BYTES + 10_000:
        return problems.problem(413, "File size must be less than 100MB", "Content too large")
    body = await request.body()
    parts = {
        part.name: part for part in parse_multipart(request.headers.get("content-type", ""), body)
    }
    content = parts.get("content")
    if content is None:
        return problems.problem(400, "Missing content", "Bad request")
    try:
        metadata = json.loads(parts["metadata"].body) if "metadata" in parts else {}
    except ValueError:
        return problems.problem(400, "metadata must be JSON", "Bad request")
    sim.created += 1
    digest = hashlib.sha256(f"{sim.settings.seed} file {sim.created}".encode()).hexdigest()
    name, now = content.filename or "file", sim.clock.now()
    kept = Upload(digest[:46], name, content.content_type, content.body, metadata, now)
    sim.uploads.add(kept)
    return Json(_file_json(request, kept), status_code=201)


async def uploads(request: Request) -> Response:
    sim = simulator_of(request)
    return Json(_page([_file_json(request, kept) for kept in sim.uploads.all(sim.clock.now())]))


async def uploaded(request: Request) -> Response:
    kept = _uploaded(simulator_of(request), request)
    return Json(_file_json(request, kept)) if kept else problems.not_found()


async def remove_upload(request: Request) -> Response:
    sim = simulator_of(request)
    kept = _uploaded(sim, request)
    if kept is None:
        return problems.not_found()
    sim.uploads.remove(kept.id)
    return Response(status_code=204)


async def download_upload(request: Request) -> Response:
    """Signed address, so no token."""
    kept = _uploaded(simulator_of(request), request)
    if kept is None:
        return problems.not_found()
    if request.query_params.get("signature") != kept.signature:
        return problems.problem(403, "The signature does not match.", "Forbidden")
    return Response(kept.body, media_type=kept.content_type)


def _find(request: Request) -> Model | None:
    return BY_SLUG.get(f"{request.path_params['owner']}/{request.path_params['name']}")


def _uploaded(sim: Simulator, request: Request) -> Upload | None:
    return sim.uploads.get(request.path_params["id"], sim.clock.now())


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"next": None, "previous": None, "results": results}


def _model_json(model: Model) -> dict[str, Any]:
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
        "run_count": 1_000_000,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": _version_json(model, model.version_ids[0]),
    }


def _version_json(model: Model, version_id: str) -> dict[str, Any]:
    return {
        "id": version_id,
        "created_at": PUBLISHED,
        "cog_version": "0.16.8",
        "openapi_schema": model.schema,
    }


def _file_json(request: Request, kept: Upload) -> dict[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}/v1/files/{kept.id}"
    md5 = hashlib.md5(kept.body, usedforsecurity=False).hexdigest()
    expires_at = kept.created_at + KEPT_FOR
    query = f"owner=simulator&expiry={expires_at:.0f}&signature={kept.signature}"
    return {
        "id": kept.id,
        "name": kept.name,
        "content_type": kept.content_type,
        "size": len(kept.body),
        "etag": md5,
        "checksums": {"sha256": hashlib.sha256(kept.body).hexdigest(), "md5": md5},
        "metadata": kept.metadata,
        "created_at": stamp(kept.created_at, 3),
        "expires_at": stamp(expires_at, 3),
        "urls": {"get": base, "download": f"{base}/download?{query}"},
    }
