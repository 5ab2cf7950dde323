"""Which Envoy route does each path of the API get, and why?

Envoy transcodes what the protos say in full and it can do: what reads, and the streams. The others
go to the gateway's plain HTTP side, which calls the same servicer:
  what changes something Envoy drops unknown JSON keys in silence, and a dropped key pays for the
                         wrong picture, widens a filter, or tells of all events; the gateway
                         parses strictly. And what is signed is the body as it came.
  what sends files       length, ranges and ETag; and a transcoded stream that breaks half-way
                         ends like a whole one
  GetHealth              HTTP 503 with a body of its own
  any `response_body`    Envoy 1.40 refuses one that is a message
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edge import errors, limits
from edge.rest import PublicApi, RestPath

Json = dict[str, Any]

GRPC, HTTP = "gateway", "gateway_http"
ALWAYS_PLAIN_HTTP = frozenset(
    {"DownloadArtifact", "DownloadPreview", "DownloadUpload", "DownloadModelCover", "GetHealth"}
)

TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
BUFFER = "envoy.filters.http.buffer"
DISABLED = {
    "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
    "disabled": True,
}
# Internal facts and gRPC's own headers, which mean nothing to a REST caller. They must go after
# the transcoder has read them: dropped by the route they would turn errors into empty 200s.
REST_HEADERS: list[Json] = [
    {"remove": "grpc-status"},
    {"remove": "grpc-message"},
    {"remove": "grpc-status-details-bin"},
    {"remove": "grpc-accept-encoding"},
    {"remove": "x-envoy-upstream-service-time"},
    # A copy made for one page must not be given to another that may not read it.
    {
        "append": {
            "header": {"key": "vary", "value": "Origin"},
            "append_action": "APPEND_IF_EXISTS_OR_ADD",
        }
    },
]
SERVICES_BESIDE_OURS = ("grpc.health.v1.Health",)
# Reflection and health streams live as long as a watch does.
STREAMS_BESIDE_OURS = (
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)


def api_routes(api: PublicApi, transcoder: Json) -> list[Json]:
    """REST first, then gRPC; the first route that matches is taken."""
    routes: list[Json] = []
    for path in api.paths:
        routes += _rest_routes(path, transcoder)
    routes += _wrong_methods(api.paths)
    routes += _grpc_routes(api)
    return routes


def is_plain_http(path: RestPath) -> bool:
    """Whether the gateway's HTTP side answers, and not Envoy from gRPC."""
    changes = path.http_method != "GET"
    return changes or path.rpc in ALWAYS_PLAIN_HTTP or bool(path.response_body)


def not_found() -> Json:
    """The last route."""
    return {
        "name": "not-found",
        "match": {"prefix": "/"},
        "direct_response": {"status": 404},
        "typed_per_filter_config": {TRANSCODER: DISABLED},
    }


def other_names(own: Sequence[str]) -> list[Json]:
    """The virtual host for every name that is not the edge's own; none where all are."""
    if "*" in own:
        return []
    refused: Json = {"match": {"prefix": "/"}, "typed_per_filter_config": {TRANSCODER: DISABLED}}
    is_grpc = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
    # Envoy makes UNKNOWN of 421, and PERMISSION_DENIED of 403.
    grpc: Json = {
        **refused,
        "name": "foreign-host-grpc",
        "match": {"prefix": "/", "headers": [is_grpc]},
        "direct_response": {"status": 403, "body": {"inline_string": errors.ERRORS[421].message}},
    }
    plain: Json = {**refused, "name": "foreign-host", "direct_response": {"status": 421}}
    return [{"name": "other-names", "domains": ["*"], "routes": [grpc, plain]}]


def preflights(origins: Sequence[str]) -> list[Json]:
    """A browser's question whether a page may call: for any path, by the page's origin.

    The cors filter answers it, on the condition that the route could in principle go somewhere.
    """
    asks = [
        _header_is(":method", "OPTIONS"),
        {"name": "access-control-request-method", "present_match": True},
    ]
    found: list[Json] = [
        {
            "name": "preflight",
            "match": {"prefix": "/", "headers": [*asks, _header_is("origin", origin)]},
            "route": {"cluster": HTTP},
        }
        for origin in origins
    ]
    refusal: Json = {
        "name": "foreign-preflight",
        "match": {"prefix": "/", "headers": asks},
        "direct_response": {"status": 403},
    }
    off = {"typed_per_filter_config": {TRANSCODER: DISABLED}}
    return [{**route, **off} for route in (*found, refusal)]


def _rest_routes(path: RestPath, transcoder: Json) -> Iterator[Json]:
    name = f"{path.rpc} {path.http_method}"
    if is_plain_http(path):
        filters: Json = {TRANSCODER: DISABLED, "rest_headers": _mutations(REST_HEADERS)}
        if path.http_method != "GET" and not path.uploads:
            filters[BUFFER] = limits.body_limit()
        yield {
            "name": name,
            "match": _match(path.regex, _methods(path)),
            "route": {"cluster": HTTP, **_limits_of(path)},
            "typed_per_filter_config": filters,
        }
    elif path.streams and not path.raw:
        as_events = _with_print_options(transcoder, stream_sse_style_delimited=True)
        wanted = {"name": "accept", "string_match": {"contains": "text/event-stream"}}
        match = _match(path.regex, _methods(path))
        yield {
            "name": f"{name} sse",
            "match": {**match, "headers": [*match["headers"], wanted]},
            "route": {"cluster": GRPC, **limits.stream()},
            "typed_per_filter_config": {
                "rest_headers": _mutations(REST_HEADERS),
                TRANSCODER: as_events,
            },
        }
        yield {
            "name": f"{name} ndjson",
            "match": match,
            "route": {"cluster": GRPC, **limits.stream()},
            "typed_per_filter_config": {
                "rest_headers": _mutations([*REST_HEADERS, _ndjson_content_type()])
            },
        }
    else:
        yield {
            "name": name,
            "match": _match(path.regex, _methods(path)),
            "route": {"cluster": GRPC, **(limits.stream() if path.streams else limits.call())},
            "typed_per_filter_config": {"rest_headers": _mutations(REST_HEADERS)},
        }


def _wrong_methods(paths: Iterable[RestPath]) -> Iterator[Json]:
    """A known path under another method: 405, and which methods it takes."""
    taken: dict[str, list[str]] = {}
    for path in paths:
        taken.setdefault(path.regex, []).extend(_methods(path))
    for regex, methods in taken.items():
        allow = {"header": {"key": "allow", "value": ", ".join(sorted(methods))}}
        yield {
            "name": "wrong-method",
            "match": {"safe_regex": {"regex": regex}},
            "direct_response": {"status": 405},
            "response_headers_to_add": [allow],
            "typed_per_filter_config": {TRANSCODER: DISABLED},
        }


def _grpc_routes(api: PublicApi) -> Iterator[Json]:
    """Native gRPC and gRPC-Web. Anything else at these paths is told so."""
    post = _header_is(":method", "POST")
    is_grpc = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
    for rpc in (*api.streaming_rpcs, *STREAMS_BESIDE_OURS):
        yield {
            "name": "grpc-stream",
            "match": {"path": rpc, "headers": [post, is_grpc]},
            "route": {"cluster": GRPC, **limits.stream()},
        }
    for service in (*api.services, *SERVICES_BESIDE_OURS):
        yield {
            "name": "grpc",
            "match": {"prefix": f"/{service}/", "headers": [post, is_grpc]},
            "route": {"cluster": GRPC, **limits.call()},
        }
        yield {
            "name": "not-grpc",
            "match": {"prefix": f"/{service}/", "headers": [post]},
            "direct_response": {"status": 415},
            "typed_per_filter_config": {TRANSCODER: DISABLED},
        }


def _limits_of(path: RestPath) -> Json:
    if path.uploads:
        return limits.upload()
    return limits.download() if path.streams else limits.call()


def _methods(path: RestPath) -> list[str]:
    # The transcoder knows no HEAD; the gateway's own HTTP side does.
    with_head = is_plain_http(path) and path.http_method == "GET"
    return [path.http_method, "HEAD"] if with_head else [path.http_method]


def _match(regex: str, methods: list[str]) -> Json:
    one_of = {"safe_regex": {"regex": "|".join(methods)}}
    return {
        "safe_regex": {"regex": regex},
        "headers": [{"name": ":method", "string_match": one_of}],
    }


def _header_is(name: str, value: str) -> Json:
    return {"name": name, "string_match": {"exact": value}}


def _mutations(responses: list[Json]) -> Json:
    return {
        "@type": "type.googleapis.com/"
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
        "mutations": {"response_mutations": responses},
    }


def _ndjson_content_type() -> Json:
    """Envoy calls a stream of JSON lines application/json. An error is one, and stays so."""
    kind = "response.headers[':status'] == '200' ? 'application/x-ndjson' : 'application/json'"
    return {
        "append": {
            "header": {"key": "content-type", "value": f"%CEL({kind})%"},
            "append_action": "OVERWRITE_IF_EXISTS",
        }
    }


def _with_print_options(transcoder: Json, **changes: bool) -> Json:
    options = {**transcoder["print_options"], **changes}
    options.pop("stream_newline_delimited", None)
    return {**transcoder, "print_options": options}
