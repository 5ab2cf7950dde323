"""How is a gRPC server built, served and stopped?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import grpc
import structlog

from servicekit.lifecycle import ProcessFailed, Stop

log = structlog.get_logger()

_MANY = 100_000
_GOAWAY_SECONDS = 0.1  # until it has left on every connection


class PortTaken(ProcessFailed):
    """Another process listens on the address."""


def build(
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    *,
    max_concurrent: int | None = None,
    max_message_bytes: int = 4 * 1024 * 1024,
) -> grpc.aio.Server:
    """A server without servicers yet. Beyond *max_concurrent* calls, new ones are refused.

    The first interceptor is the outermost.
    """
    return grpc.aio.server(
        interceptors=list(interceptors),
        maximum_concurrent_rpcs=max_concurrent,
        options=[
            # A second server on the port must fail, not share it.
            ("grpc.so_reuseport", 0),
            # Else an edge's keepalive pings on a quiet stream end in GOAWAY too_many_pings. The
            # name is without `recv`.
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            # A service keeps its channel to another alive between calls.
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            # At the defaults, thousands of calls that arrive at once are partly cancelled.
            ("grpc.server.max_pending_requests", _MANY),
            ("grpc.server.max_pending_requests_hard_limit", _MANY),
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
        ],
    )


async def serve(
    server: grpc.aio.Server,
    address: str,
    stop: Stop,
    *,
    grace: float = 10.0,
    on_listening: Callable[[int], object] | None = None,
    on_drain: Callable[[], Awaitable[object]] | None = None,
    on_closed: Callable[[], object] | None = None,
) -> None:
    """Serves on *address* ("host:port") until *stop*, then drains.

    *on_listening* is given the port (the real one, for port 0); *on_drain* is awaited first at
    the end (`Health.drain`). Calls still open get *grace* seconds and are then cancelled.
    *on_closed* is called once every connection was told to take no new calls: who ends streams
    there has their callers go on elsewhere. Ended sooner, thousands of them come back at once by
    the connections that are about to close, and some are cancelled with these.
    """
    port = _bind(server, address)
    await server.start()
    log.info("server.listening", address=address, port=port)
    if on_listening is not None:
        on_listening(port)
    try:
        await stop.wait()
    finally:
        if on_drain is not None:
            await on_drain()
        stopping = asyncio.create_task(server.stop(grace))
        if on_closed is not None:
            await asyncio.sleep(_GOAWAY_SECONDS)
            on_closed()
        await stopping
        log.info("server.stopped", address=address)


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        port: int = server.add_insecure_port(address)
    except RuntimeError as error:
        raise _taken(address) from error
    if port == 0:
        raise _taken(address)
    return port


def _taken(address: str) -> PortTaken:
    return PortTaken(
        f"Can not listen on {address}: the port is taken by another process, or the address is not "
        "one of this machine."
    )
