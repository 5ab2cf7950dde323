"""Which files did the caller upload as inputs? /v1/files."""

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator import problems
from simulator.json_bodies import Json, page
from simulator.parts import Simulator, simulator_of
from simulator.spoil import spoil
from simulator.spoil_answer import spoil_answer
from simulator.uploads import KEPT_FOR, MOST_BYTES, Upload, parse_multipart
from simulator.wire import stamp


async def upload(request: Request) -> Response:
    """POST /v1/files: part `content`, optional part `metadata`."""
    sim = simulator_of(request)
    faults = sim.faults.for_request("upload", "")
    spoiled = await spoil(sim, request, faults)
    if spoiled is not None:
        return spoiled
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
    kept_for = float(faults.get("short_upload", KEPT_FOR))
    kept = Upload(digest[:46], name, content.content_type, content.body, metadata, now, kept_for)
    sim.uploads.add(kept)
    answer = Json(_file_json(request, kept), status_code=201)
    return await spoil_answer(sim, request, faults, answer)


async def uploads(request: Request) -> Response:
    sim = simulator_of(request)
    return Json(page([_file_json(request, kept) for kept in sim.uploads.all(sim.clock.now())]))


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


def _uploaded(sim: Simulator, request: Request) -> Upload | None:
    return sim.uploads.get(request.path_params["id"], sim.clock.now())


def _file_json(request: Request, kept: Upload) -> dict[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}/v1/files/{kept.id}"
    md5 = hashlib.md5(kept.body, usedforsecurity=False).hexdigest()
    query = f"owner=simulator&expiry={kept.expires_at:.0f}&signature={kept.signature}"
    return {
        "id": kept.id,
        "name": kept.name,
        "content_type": kept.content_type,
        "size": len(kept.body),
        "etag": md5,
        "checksums": {"sha256": hashlib.sha256(kept.body).hexdigest(), "md5": md5},
        "metadata": kept.metadata,
        "created_at": stamp(kept.created_at, 3),
        "expires_at": stamp(kept.expires_at, 3),
        "urls": {"get": base, "download": f"{base}/download?{query}"},
    }
