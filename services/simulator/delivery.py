"""How is an output file handed over? As a CDN does: length, ETag, ranges, no token wanted."""

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from simulator import problems
from simulator.archive import Prediction
from simulator.covers import cover_spec, hostile_cover
from simulator.outputs import file_count, file_spec
from simulator.parts import Simulator, simulator_of
from simulator.pictures import Picture
from simulator.predictions import observe
from simulator.references import reference_of
from simulator.sizing import MEDIA_TYPES

CHUNK = 65_536


async def file(request: Request) -> Response:
    """GET or HEAD /delivery/xezq/{id}/out-{index}.{extension}."""
    sim = simulator_of(request)
    if header := request.headers.get("authorization"):
        sim.ledger.leak(request.url.path, header, sim.clock.now())
    prediction = sim.find(request.path_params["id"])
    name = re.fullmatch(r"out-(\d{1,3})\.(webp|jpg|png|mp4|mp3)", request.path_params["file"])
    if prediction is None or name is None:
        return _gone(404)
    index, moment = int(name[1]), observe(prediction.plan, sim.clock.now())
    if moment.status != "succeeded" or moment.data_removed or index >= file_count(prediction):
        return _gone(404)
    faults = prediction.faults
    if "expired_file" in faults:
        return _gone(int(float(faults["expired_file"])))
    asked = prediction.asked[index] = prediction.asked.get(index, 0) + 1
    if asked <= float(faults.get("late_file", 0)):
        return _gone(404)
    if asked <= float(faults.get("failing_file", 0)):
        return problems.bad_gateway(503)
    if "redirect_foreign_host" in faults:
        return RedirectResponse(faults["redirect_foreign_host"], status_code=302)
    now = sim.clock.now()
    given = reference_of(prediction.model, prediction.input, sim.uploads, now)
    spec = file_spec(prediction, index, given)
    media_type = faults.get("wrong_content_type", MEDIA_TYPES[spec.format])
    if "huge_file" in faults:
        return _huge(int(float(faults["huge_file"])), media_type)
    picture = await sim.gallery.draw(spec)
    return await _send(sim, request, prediction, index, picture, media_type)


async def make_ahead(sim: Simulator, prediction: Prediction) -> None:
    """Makes a film while its prediction runs, as a film takes a while: when a run has ended, its
    file is there to be fetched."""
    given = reference_of(prediction.model, prediction.input, sim.uploads, sim.clock.now())
    await sim.gallery.draw(file_spec(prediction, 0, given))


async def cover(request: Request) -> Response:
    """GET /delivery/mgxm/{owner}/{name}/{file}: a model's cover, or what a fault made of it."""
    sim = simulator_of(request)
    if header := request.headers.get("authorization"):
        sim.ledger.leak(request.url.path, header, sim.clock.now())
    slug, name = "{owner}/{name}".format(**request.path_params), request.path_params["file"]
    model = sim.shelf.get(slug)
    if model is None:
        return _gone(404)
    if name != "cover.webp":
        return hostile_cover(name, lambda size: _huge(size, "image/png")) or _gone(404)
    picture = await sim.gallery.draw(cover_spec(model))
    headers = {"cache-control": "public,max-age=3600", "etag": f'"{picture.md5}"'}
    return Response(picture.body, 200, headers, "image/webp")


async def _send(
    sim: Simulator,
    request: Request,
    prediction: Prediction,
    index: int,
    picture: Picture,
    media_type: str,
) -> Response:
    size = len(picture.body)
    headers = {
        "content-type": media_type,
        "accept-ranges": "bytes",
        "cache-control": "public,max-age=3600",
        "etag": f'"{picture.md5}"',
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    span = _span(request, headers["etag"], size)
    if span is None:
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{size}"})
    first, last = span
    body, status = picture.body[first : last + 1], 200
    if len(body) < size:
        status = 206
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers | {"content-length": str(len(body))})
    prediction.downloads[index] = prediction.downloads.get(index, 0) + 1
    faults = prediction.faults
    if "truncated_download" in faults:
        times = int(float(faults["truncated_download"]))
        if times == 0 or prediction.downloads[index] <= times:
            return _broken_off(sim, request, body, status, headers)
    if "slow_download" in faults:
        headers["content-length"] = str(len(body))
        seconds = float(faults["slow_download"])
        return StreamingResponse(_slowly(sim, body, seconds), status, headers)
    return Response(body, status, headers)


def _gone(status: int) -> Response:
    return Response("Not Found" if status == 404 else "Gone", status, media_type="text/plain")


def _span(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """First and last byte to send; None if the range lies outside the file."""
    header = request.headers.get("range", "")
    match = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", header)
    if not match or match.groups() == ("", "") or request.headers.get("if-range", etag) != etag:
        return 0, size - 1
    if not match[1]:
        count = int(match[2])
        return (max(0, size - count), size - 1) if count else None
    first = int(match[1])
    last = min(size - 1, int(match[2]) if match[2] else size - 1)
    return (first, last) if first <= last else None


async def _slowly(sim: Simulator, body: bytes, seconds: float) -> AsyncIterator[bytes]:
    pieces = 20
    step = -(-len(body) // pieces)
    for start in range(0, len(body), step):
        yield body[start : start + step]
        await sim.clock.sleep_until(sim.clock.now() + seconds / pieces)


def _broken_off(
    sim: Simulator, request: Request, body: bytes, status: int, headers: dict[str, str]
) -> Response:
    """The full length is announced, half of it comes, then the connection closes."""

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await sim.hang_up(request)

    return StreamingResponse(half(), status, headers | {"content-length": str(len(body))})


def _huge(size: int, media_type: str) -> Response:
    """Zeros without an announced length, so that only counting protects the reader."""

    async def zeros() -> AsyncIterator[bytes]:
        for start in range(0, size, CHUNK):
            yield bytes(min(CHUNK, size - start))
            await asyncio.sleep(0)

    return StreamingResponse(zeros(), 200, {"content-type": media_type})
