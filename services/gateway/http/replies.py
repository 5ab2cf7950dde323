"""How does an answer or a refusal look over plain HTTP? As Envoy's transcoder writes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.rpc import code_pb2, error_details_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from starlette.responses import Response

from gateway.rpc.errors import DOMAIN, INVALID_REQUEST
from mediagen.v1 import error_reason_pb2
from mediagen.v1.error_reason_pb2 import ErrorReason

# The usual mapping; see google/rpc/code.proto.
HTTP_STATUSES: Mapping[int, int] = {
    code_pb2.OK: 200,
    code_pb2.CANCELLED: 499,
    code_pb2.UNKNOWN: 500,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}
# What HTTP has a status for that is narrower than the one of its gRPC code.
_BY_REASON: Mapping[str, int] = {
    ErrorReason.Name(error_reason_pb2.ERROR_REASON_ARTIFACT_DELETED): 410,
}
_KNOWN_DETAILS = frozenset(
    message.full_name for message in error_details_pb2.DESCRIPTOR.message_types_by_name.values()
)


def reply(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """*data* as compact JSON, never cached."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode(),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )


def refusal(
    status: Status, http_status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """*status* as {code, message, details}, under the HTTP status of its reason or code if none is
    given."""
    told = Status(code=status.code, message=status.message)
    narrower: int | None = None
    more = dict(headers or {})
    for detail in status.details:
        # A detail of a newer peer, which we could not print, must not cost the caller the rest.
        if detail.TypeName() in _KNOWN_DETAILS:
            told.details.append(detail)
        info = ErrorInfo()
        if detail.Unpack(info):
            narrower = _BY_REASON.get(info.reason)
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(retry):
            delay = retry.retry_delay
            more["retry-after"] = str(math.ceil(delay.seconds + delay.nanos / 1e9))
    body = {"code": 0, "message": "", **MessageToDict(told, preserving_proto_field_name=True)}
    body.setdefault("details", [])
    return reply(body, http_status or narrower or HTTP_STATUSES.get(status.code, 500), more)


def refused(http_status: int, code: int, message: str, **headers: str) -> Response:
    """A refusal that plain HTTP itself makes."""
    status = Status(code=code, message=message)
    status.details.add().Pack(ErrorInfo(reason=INVALID_REQUEST, domain=DOMAIN))
    return refusal(status, http_status, headers)
