"""What becomes of a right answer on its way back? The work is done; only the telling goes wrong."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from simulator.parts import Simulator

PIECE = 65_536
DRIPS = 40


async def spoil_answer(
    sim: Simulator, request: Request, faults: Mapping[str, str], answer: Response
) -> Response:
    """*answer* as it arrives: the first of these faults that is in force, or unharmed."""
    body, status = bytes(answer.body), answer.status_code
    if "cut_answer" in faults:
        return _json(body[: len(body) // 2], status)
    if "broken_answer" in faults:
        return _broken(sim, request, body, status)
    if "html_answer" in faults:
        return HTMLResponse("<html><body>One moment, please.</body></html>", status)
    if "wrong_answer_type" in faults:
        return Response(body, status, media_type=faults["wrong_answer_type"])
    if "no_id_answer" in faults:
        return _json(b'{"detail": "One moment, please."}', status)
    if "other_id_answer" in faults:
        return _json(json.dumps(json.loads(body) | {"id": faults["other_id_answer"]}).encode())
    if "giant_answer" in faults:
        return _giant(body, int(float(faults["giant_answer"])), status)
    if "packed_answer" in faults:
        packed = gzip.compress(_blown_up(body, int(float(faults["packed_answer"]))), 6)
        return Response(packed, status, {"content-encoding": "gzip"}, "application/json")
    if "drip_answer" in faults:
        return _dripping(sim, body, float(faults["drip_answer"]), status)
    if "foreign_next" in faults:
        return _json(json.dumps(json.loads(body) | {"next": faults["foreign_next"]}).encode())
    return answer


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


def _blown_up(body: bytes, size: int) -> bytes:
    """The same JSON with spaces in front."""
    return b" " * size + body


def _giant(body: bytes, size: int, status: int) -> Response:
    """Without an announced length, so that only counting protects the reader."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, PIECE):
            yield b" " * min(PIECE, size - start)
            await asyncio.sleep(0)
        yield body

    return StreamingResponse(pieces(), status, media_type="application/json")


def _dripping(sim: Simulator, body: bytes, seconds: float, status: int) -> Response:
    async def drips() -> AsyncIterator[bytes]:
        step = -(-len(body) // DRIPS)
        for start in range(0, len(body), step):
            yield body[start : start + step]
            await sim.clock.sleep_until(sim.clock.now() + seconds / DRIPS)

    return StreamingResponse(drips(), status, media_type="application/json")


def _broken(sim: Simulator, request: Request, body: bytes, status: int) -> Response:
    """The full length is announced, half of it comes, then the connection closes."""

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await sim.hang_up(request)

    headers = {"content-length": str(len(body))}
    return StreamingResponse(half(), status, headers, media_type="application/json")
