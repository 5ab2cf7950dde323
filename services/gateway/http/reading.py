"""What does a plain HTTP request say? All of it is read strictly, or refused in words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest
from starlette.requests import Request

from gateway.domain.inputs import MOST_PROBLEMS, Problem
from gateway.http import strict_json
from gateway.rpc.checks import oversized
from gateway.rpc.errors import INVALID_REQUEST
from gateway.rpc.pattern_words import PATTERN_WORDS
from gateway.rpc.tenants import DEFAULT_TENANT
from servicekit import validation

M = TypeVar("M", bound=Message)

MOST_BODY_BYTES = 2 * 1024 * 1024
LONGEST_CALL = 15.0
# Reading more than this takes a thread, so that other callers need not wait for it.
LARGEST_READ_AT_ONCE = 64 * 1024

_LONGEST_NAME = 60

_FORWARDED = ("x-request-id", "traceparent", "tracestate", "authorization")
_TIMEOUT = re.compile(r"(\d{1,8})([HMSmun])", re.ASCII)
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_CHARSET = re.compile(r'charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)


class BodyTooLarge(Exception):
    """The body is longer than MOST_BODY_BYTES."""


class NotJson(Exception):
    """The body is not said to be JSON in UTF-8."""


def refuse_query(request: Request) -> None:
    """A wish in the URL of a POST is told, not dropped. Raises InvalidRequest."""
    said = "is in the URL; all that this request says belongs in its JSON body"
    found = [
        validation.violation(name[:_LONGEST_NAME], said, "FIELD_UNKNOWN")
        for name in dict.fromkeys(request.query_params)
    ]
    if found:
        raise validation.bad_request(found, reason=INVALID_REQUEST)


def only_parameters(request: Request, *names: str) -> Mapping[str, str]:
    """The query, which may say these and each once. Raises InvalidRequest."""
    given = request.query_params.multi_items()
    said = f"is not a parameter here; there is {' and '.join(names)}"
    found = [
        validation.violation(name[:_LONGEST_NAME], said, "FIELD_UNKNOWN")
        for name in dict.fromkeys(name for name, _ in given)
        if name not in names
    ]
    found += [
        validation.violation(name, "is given twice", "KEY_TWICE")
        for name in names
        if sum(each == name for each, _ in given) > 1
    ]
    if found:
        raise validation.bad_request(found, reason=INVALID_REQUEST)
    return dict(given)


async def body_of(request: Request) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it is, and NotJson."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise BodyTooLarge
    kind = request.headers.get("content-type", "")
    charset = _CHARSET.search(kind)
    is_json = kind.partition(";")[0].strip().lower() == "application/json"
    # A form, or no type at all, is what another site's page could send without being asked.
    if (body or kind) and not is_json:
        raise NotJson
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise NotJson
    return bytes(body)


_Found = Sequence[BadRequest.FieldViolation]


class Bodies:
    """Reads bodies as messages. *further* and *beside* find what no proto rule can say, as over
    gRPC."""

    def __init__(
        self,
        further: Callable[[Message], _Found],
        beside: Callable[[str, Message], Awaitable[_Found]],
    ) -> None:
        self._further = further
        self._beside = beside

    async def filled(
        self,
        body: bytes,
        message: M,
        *,
        in_path: frozenset[str] = frozenset(),
        tenant: str = DEFAULT_TENANT,
    ) -> M:
        """*message* filled from *body*. Raises InvalidRequest with everything that is wrong."""
        if len(body) > LARGEST_READ_AT_ONCE:
            found = await asyncio.to_thread(strict_json.read, body, message, in_path=in_path)
        else:
            found = strict_json.read(body, message, in_path=in_path)
        if found:
            raise validation.bad_request(
                [
                    *(validation.violation(*each) for each in found),
                    *await self._others(message, found, tenant),
                ],
                reason=INVALID_REQUEST,
            )
        return message

    async def _others(
        self, message: Message, found: Sequence[Problem], tenant: str
    ) -> list[BadRequest.FieldViolation]:
        """What the rules find in the rest of the body.

        Not in fields that could not be read, nor over the whole message, which then lacks them.
        """
        # After so many problems the rest of the body was not read.
        if len(found) >= MOST_PROBLEMS or any(not each.field for each in found):
            return []
        told = {_top(each.field) for each in found}
        others = oversized(message) or [
            *validation.violations(message, PATTERN_WORDS),
            *self._further(message),
            *await self._beside(tenant, message),
        ]
        return [each for each in others if each.field and _top(each.field) not in told]


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def metadata_of(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value)
        for name in _FORWARDED
        if (value := request.headers.get(name)) is not None and value.isascii()
    )


def timeout_of(request: Request) -> float:
    """Seconds: what the caller or the edge says in grpc-timeout, or ours if that is shorter."""
    said = _TIMEOUT.fullmatch(request.headers.get("grpc-timeout", ""))
    return min(LONGEST_CALL, int(said[1]) * _UNITS[said[2]]) if said else LONGEST_CALL
