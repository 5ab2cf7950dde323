"""How does an error that Envoy itself makes look to a caller?

Like every other error of the API: google.rpc.Status as JSON under the HTTP status that fits. Envoy
knows only the HTTP status, so each one has a row here. To who asked for server-sent events, what
is only unavailable is an event like those of the gateway. The reason Envoy gives may name upstream
addresses; it goes to the access log beside the request id, and not to the caller.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from edge import pages

Json = dict[str, Any]
DOMAIN = "edge.mediagen.dev"
RETRY_AFTER = 1  #: seconds after which to try again what is unavailable


# gRPC-Web callers are refused in plain HTTP, as long as its filter has not made them native.
NATIVE_GRPC = "application/grpc([+;].*)?"


class EdgeError(NamedTuple):
    """What one HTTP status means, in gRPC's words and in a person's."""

    code: int
    reason: str
    message: str


ERRORS: Mapping[int, EdgeError] = {
    400: EdgeError(
        code_pb2.INVALID_ARGUMENT, "BAD_REQUEST", "The request is not valid. %LOCAL_REPLY_BODY%"
    ),
    401: EdgeError(
        code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED", "The call has to say who makes it."
    ),
    403: EdgeError(
        code_pb2.PERMISSION_DENIED,
        "ORIGIN_NOT_ALLOWED",
        "Pages of this origin may not change anything here; see ALLOWED_ORIGINS.",
    ),
    404: EdgeError(
        code_pb2.NOT_FOUND, "PATH_NOT_FOUND", "There is nothing at this path; see /docs."
    ),
    405: EdgeError(
        code_pb2.UNIMPLEMENTED,
        "METHOD_NOT_ALLOWED",
        "This path does not take this method; the allow header names those that it takes.",
    ),
    408: EdgeError(code_pb2.DEADLINE_EXCEEDED, "REQUEST_TIMEOUT", "The request came too slowly."),
    413: EdgeError(code_pb2.INVALID_ARGUMENT, "BODY_TOO_LARGE", "The body is larger than 2 MiB."),
    415: EdgeError(
        code_pb2.INVALID_ARGUMENT,
        "NOT_GRPC",
        "This path takes gRPC and gRPC-Web; see /docs for REST.",
    ),
    421: EdgeError(
        code_pb2.PERMISSION_DENIED,
        "HOST_NOT_ALLOWED",
        "The edge may not be called by this host name; see EDGE_HOSTS.",
    ),
    426: EdgeError(code_pb2.FAILED_PRECONDITION, "UPGRADE_REQUIRED", "Use HTTP/1.1 or HTTP/2."),
    429: EdgeError(code_pb2.RESOURCE_EXHAUSTED, "TOO_MANY_REQUESTS", "Too many requests."),
    431: EdgeError(code_pb2.INVALID_ARGUMENT, "HEADERS_TOO_LARGE", "The headers are too large."),
    500: EdgeError(code_pb2.INTERNAL, "EDGE_FAILED", "The edge could not handle this call."),
    501: EdgeError(code_pb2.UNIMPLEMENTED, "NOT_IMPLEMENTED", "The edge cannot do this."),
    502: EdgeError(code_pb2.UNAVAILABLE, "BAD_GATEWAY", "The gateway's answer could not be read."),
    503: EdgeError(code_pb2.UNAVAILABLE, "NO_GATEWAY", "No gateway answers; try again soon."),
    504: EdgeError(
        code_pb2.DEADLINE_EXCEEDED, "GATEWAY_TIMEOUT", "The gateway did not answer in time."
    ),
}


def mappers() -> list[Json]:
    """Entries for Envoy's local_reply_config.

    gRPC callers get no JSON: for them Envoy puts the text into grpc-message. A REST call that is
    already transcoded looks like gRPC and is known by its old path.
    """
    rest = _any_of(
        {"header_filter": {"header": {"name": "x-envoy-original-path", "present_match": True}}},
        {
            "header_filter": {
                "header": {
                    "name": "content-type",
                    "string_match": {"safe_regex": {"regex": NATIVE_GRPC}},
                    "invert_match": True,
                    "treat_missing_header_as_empty": True,
                }
            }
        },
    )
    found: list[Json] = [_as_page()]
    found += [
        _as_event(status, error)
        for status, error in ERRORS.items()
        if error.code == code_pb2.UNAVAILABLE
    ]
    for status, error in ERRORS.items():
        mapper: Json = {
            "filter": {"and_filter": {"filters": [_status_is(status), rest]}},
            "body_format_override": {"json_format": status_json(error)},
        }
        if error.code == code_pb2.UNAVAILABLE:
            mapper["headers_to_add"] = [_header("retry-after", str(RETRY_AFTER))]
        found.append(mapper)
    # The others are gRPC callers: for them the details go where gRPC's libraries look for them.
    found += [
        {
            "filter": _status_is(status),
            "body": {"inline_string": error.message},
            "headers_to_add": [_details(error)],
        }
        for status, error in ERRORS.items()
        if error.code == code_pb2.UNAVAILABLE
    ]
    return found


def status_json(error: EdgeError) -> Json:
    """The google.rpc.Status that a caller gets; Envoy fills in the %FIELDS%."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.reason,
        "domain": DOMAIN,
    }
    request = {
        "@type": "type.googleapis.com/google.rpc.RequestInfo",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    details = [info, request]
    if error.code == code_pb2.UNAVAILABLE:
        retry = "type.googleapis.com/google.rpc.RetryInfo"
        details.append({"@type": retry, "retry_delay": f"{RETRY_AFTER}s"})
    return {"code": error.code, "message": error.message, "details": details}


def _as_page() -> Json:
    """What the page itself says to people stays as it is."""
    person: list[Json] = [{"header_filter": {"header": each}} for each in pages.is_lost_person()]
    return {"filter": {"and_filter": {"filters": [_status_is(404), *person]}}}


def _as_event(status: int, error: EdgeError) -> Json:
    """For EventSource, which gives up for ever on any status but 200, and comes back after that."""
    accept = {"name": "accept", "string_match": {"contains": "text/event-stream"}}
    data = json.dumps(status_json(error))
    # Envoy leaves one line break at the end: the comment keeps the empty line that ends the event.
    event = f"retry: {RETRY_AFTER * 1000}\n\nevent: error\ndata: {data}\n\n:\n"
    return {
        "filter": {
            "and_filter": {"filters": [_status_is(status), {"header_filter": {"header": accept}}]}
        },
        "status_code": 200,
        "headers_to_add": [_header("cache-control", "no-store")],
        "body_format_override": {
            "text_format_source": {"inline_string": event},
            "content_type": "text/event-stream",
        },
    }


def _details(error: EdgeError) -> Json:
    """google.rpc.Status as a gRPC call carries it. Its message must be the call's own."""
    status = Status(code=error.code, message=error.message)
    status.details.add().Pack(ErrorInfo(reason=error.reason, domain=DOMAIN))
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=RETRY_AFTER)))
    packed = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    return _header("grpc-status-details-bin", packed)


def _header(key: str, value: str) -> Json:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _status_is(status: int) -> Json:
    # Envoy wants a runtime key beside every number; ours is never set.
    value = {"default_value": status, "runtime_key": "edge.unset"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _any_of(*filters: Json) -> Json:
    return {"or_filter": {"filters": list(filters)}}
