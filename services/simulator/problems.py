"""How does a refusal read? RFC 7807 problems in Replicate's words, and the CDN's HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
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


def bad_gateway() -> Response:
    """What the CDN in front answers: HTML, whatever the client accepts."""
    page = (
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
        "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return HTMLResponse(page, status_code=502)
