"""How is the server reached?"""

from __future__ import annotations

from importlib import metadata

import grpc

_SCHEMES = {"https": True, "http": False}
_LARGEST_MESSAGE = 64 * 1024 * 1024  # a page of 200 jobs with the largest inputs


def target(address: str, tls: bool) -> tuple[str, bool]:
    """What gRPC dials for *address*, and whether with TLS; "https://" before it turns TLS on."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address, tls
    if scheme not in _SCHEMES:
        return address, tls  # one of gRPC's own: "dns:///host:port", "unix:///path"
    rest = rest.rstrip("/")
    secure = _SCHEMES[scheme]
    if ":" not in rest.rpartition("]")[2]:
        rest += ":443" if secure else ":80"
    return rest, secure or tls


def channel(
    address: str, *, tls: bool, credentials: grpc.ChannelCredentials | None
) -> grpc.aio.Channel:
    """A channel that comes back quickly after the server was away. Opens nothing yet."""
    dialed, secure = target(address, tls)
    options = [
        ("grpc.primary_user_agent", f"mediagen-python/{version()}"),
        # gRPC's own pause between connection attempts grows to two minutes: too long for a watcher.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 3000),
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        # Two clients of one process would else share a connection, and lose it together.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if secure or credentials:
        credentials = credentials or grpc.ssl_channel_credentials()
        return grpc.aio.secure_channel(dialed, credentials, options=options)
    return grpc.aio.insecure_channel(dialed, options=options)


def version() -> str:
    """The installed version of this package."""
    try:
        return metadata.version("mediagen")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "0"
