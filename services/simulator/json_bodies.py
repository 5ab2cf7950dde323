"""How are JSON bodies read and written? Strictly in, and never failing on the way out."""

import json
import math
from typing import Any

from starlette.responses import JSONResponse


class Json(JSONResponse):
    """ASCII only: a prompt with a lone surrogate cannot be written as UTF-8."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a request's body; None if it is anything else, NaN and 1e999 included."""
    try:
        found = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def page(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The only page of a list."""
    return {"next": None, "previous": None, "results": results}


def _refuse(text: str) -> float:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)
