"""How does a refusal read? RFC 7807 problems in Replicate's words, and the CDN's HTML."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, Response

from simulator.json_bodies import Json

NOT_FOUND = "The requested resource could not be found."


@dataclass(frozen=True, slots=True)
class InvalidField:
    """One entry of `invalid_fields`; `field` is dotted under `input`, "" at the top level."""

    type: str
    field: str
    description: str

    def as_json(self) -> dict[str, str]:
        return {"type": self.type, "field": self.field, "description": self.description}

    def as_line(self) -> str:
        return f"- {self.field or '(root)'}: {self.description}"


def problem(
    status: int,
    detail: str,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """An `application/problem+json` answer."""
    body = {"title": title} if title else {}
    return Json(
        body | {"detail": detail, "status": status} | more,
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


def not_found() -> Response:
    return problem(404, NOT_FOUND)


def unauthenticated() -> Response:
    return problem(401, "You did not pass a valid authentication token", "Unauthenticated")


def no_credit() -> Response:
    detail = (
        "You have insufficient credit to run this model. Go to "
        "https://replicate.com/account/billing#billing to purchase credit. Once you purchase "
        "credit, please wait a few minutes before trying again."
    )
    return problem(402, detail, "Insufficient credit")


def throttled(seconds: int, current_form: bool = True) -> Response:
    """429; the older form has only `detail`, the current one `retry_after` too."""
    detail = f"Request was throttled. Your rate limit resets in ~{seconds}s."
    if not current_form:
        return Json({"detail": "Request was throttled."}, status_code=429)
    return problem(429, detail, retry_after=seconds)


def throttled_by_header(seconds: int, now: float) -> Response:
    return _throttled_elsewhere({"retry-after": str(seconds)})


def throttled_by_date(seconds: int, now: float) -> Response:
    # A date has whole seconds.
    return _throttled_elsewhere({"retry-after": formatdate(math.ceil(now) + seconds, usegmt=True)})


def throttled_by_reset(seconds: int, now: float) -> Response:
    return _throttled_elsewhere({"ratelimit-reset": str(seconds)})


def throttled_by_sentence(seconds: int, now: float) -> Response:
    detail = f"Request was throttled. Your rate limit resets in ~{seconds}s."
    return Json({"detail": detail}, status_code=429)


def _throttled_elsewhere(headers: Mapping[str, str]) -> Response:
    return Json({"detail": "Request was throttled."}, status_code=429, headers=dict(headers))


THROTTLED = {
    "429_header": throttled_by_header,
    "429_date": throttled_by_date,
    "429_reset": throttled_by_reset,
    "429_sentence": throttled_by_sentence,
}


def of_status(status: int) -> Response:
    """A problem that says no more than its status does."""
    return problem(status, f"The request ended with status {status}.")


def low_credit(seconds: int) -> Response:
    detail = (
        "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests "
        "per minute with a burst of 1 requests while you have less than $5.0 in credit. Your rate "
        f"limit resets in ~{seconds}s."
    )
    return problem(429, detail, retry_after=seconds)


def invalid_input(fields: list[InvalidField]) -> Response:
    return problem(
        422,
        "\n".join(field.as_line() for field in fields) + "\n",
        "Input validation failed",
        invalid_fields=[field.as_json() for field in fields],
    )


def invalid_version() -> Response:
    detail = (
        "The specified version does not exist (or perhaps you don't have permission to use it?)"
    )
    return problem(422, detail, "Invalid version or not permitted")


def server_error() -> Response:
    return problem(500, "An internal error occurred. Please try again.", "Internal server error")


def bad_gateway(status: int = 502) -> Response:
    """What the CDN in front answers: HTML, whatever the client accepts."""
    words = f"{status} {HTTPStatus(status).phrase}"
    page = (
        f"<html>\r\n<head><title>{words}</title></head>\r\n<body>\r\n"
        f"<center><h1>{words}</h1></center>\r\n<hr><center>cloudflare</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return HTMLResponse(page, status_code=status)
