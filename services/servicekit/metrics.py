"""How does a process show its figures to Prometheus? As text, on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from servicekit.lifecycle import Stop
from servicekit.server import PortTaken

log = structlog.get_logger()


async def serve(
    registry: CollectorRegistry,
    host: str,
    port: int,
    stop: Stop,
    on_listening: Callable[[int], object] | None = None,
) -> None:
    """Serves *registry* on every path until *stop*. Raises PortTaken.

    *on_listening* is given the port (the real one, for port 0). Collectors run in threads of the
    library's own server, so that a slow scrape holds up nobody.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise PortTaken(
            f"Can not show metrics on {host}:{port}: the port is taken by another process, or the "
            "address is not one of this machine."
        ) from error
    try:
        log.info("metrics.listening", address=f"{host}:{port}", port=server.server_port)
        if on_listening is not None:
            on_listening(server.server_port)
        await stop.wait()
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        await asyncio.to_thread(thread.join)
