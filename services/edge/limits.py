"""How long may a call take, how much may it bring, and when is it tried elsewhere?"""

from typing import Any

Json = dict[str, Any]

# A prompt of 1 MB must reach the gateway, whose refusal is the documented one.
MAX_BODY_BYTES = 2 * 1024 * 1024
UNARY_SECONDS = 15
# A little more than the gateway gives an upload, whose refusal is the documented one.
UPLOAD_SECONDS = 630


def call() -> Json:
    """A call that answers soon.

    Not `timeout`, which gives gRPC callers UNAVAILABLE: this way they get DEADLINE_EXCEEDED, and
    the gateway is told how long it has. A caller's own grpc-timeout may be longer.
    """
    limits = {"max_stream_duration": f"{UNARY_SECONDS}s", "grpc_timeout_header_max": "300s"}
    return {"timeout": "0s", "max_stream_duration": limits, "retry_policy": _retry()}


def stream() -> Json:
    """A stream lives as long as both sides want it."""
    limits = {"max_stream_duration": "0s", "grpc_timeout_header_max": "0s"}
    return {
        "timeout": "0s",
        "idle_timeout": "0s",
        "max_stream_duration": limits,
        "retry_policy": _retry(),
    }


def download() -> Json:
    """As long as it takes, but somebody has to be reading."""
    return {"timeout": "0s", "idle_timeout": "60s", "retry_policy": _retry()}


def upload() -> Json:
    """As long as the gateway lets it take; nothing of it is held back here."""
    limits = {"max_stream_duration": f"{UPLOAD_SECONDS}s"}
    return {
        "timeout": "0s",
        "idle_timeout": "60s",
        "max_stream_duration": limits,
        "retry_policy": _retry(),
    }


def _retry() -> Json:
    """Another gateway, when this one could not be connected to.

    Nothing has been sent then, so this is safe for a submit too; anything later is not repeated.
    """
    return {
        "retry_on": "connect-failure",
        "num_retries": 2,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host."
                    "previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
    }


def body_limit() -> Json:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
        "buffer": {"max_request_bytes": MAX_BODY_BYTES},
    }
