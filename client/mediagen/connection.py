"""How is the server reached, and how is it called?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import TypeVar

import grpc

from mediagen import retries
from mediagen.retries import Backoff

T = TypeVar("T")

_SCHEMES = {"https": True, "http": False}
_LARGEST_MESSAGE = 64 * 1024 * 1024  # a page of 200 jobs with the largest inputs


class Connection:
    """One channel for one event loop, and the way of calling that all of a client's calls share."""

    def __init__(
        self,
        address: str,
        *,
        tls: bool,
        credentials: grpc.ChannelCredentials | None,
        timeout: float,
        api_key: str | None,
        retries: int,
        backoff: Backoff,
    ) -> None:
        self._address, self._tls, self._credentials = address, tls, credentials
        self._timeout = timeout
        self.retries, self.backoff = retries, backoff
        self.metadata = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        self._channel: grpc.aio.Channel | None = None

    @property
    def channel(self) -> grpc.aio.Channel:
        """Opened at the first call, not before: a channel belongs to the loop that runs then."""
        if self._channel is None:
            self._channel = channel(self._address, tls=self._tls, credentials=self._credentials)
        return self._channel

    async def close(self) -> None:
        """Calls that still run are cancelled. A later call opens the channel again."""
        if self._channel is not None:
            await self._channel.close()
        self._channel = None

    async def call(
        self,
        method: Callable[..., Awaitable[T]],
        request: object,
        *,
        shortest_timeout: float = 0.0,
        repeatable: bool = True,
    ) -> T:
        """What *method* answers, tried again while the server is unavailable.

        shortest_timeout: seconds that it gets at least, where the client's are meant for less work.
        repeatable: doing it twice is as good as once; else it is tried once.
        """
        return await retries.call(
            lambda seconds: method(request, timeout=seconds, metadata=self.metadata),
            timeout=max(self._timeout, shortest_timeout),
            retries=self.retries if repeatable else 0,
            backoff=self.backoff,
        )


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
