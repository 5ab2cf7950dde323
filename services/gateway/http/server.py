"""How does uvicorn run beside the gRPC server, in one event loop?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from servicekit.lifecycle import Stop
from servicekit.server import PortTaken

log = structlog.get_logger()


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    stop: Stop,
    *,
    grace: float = 10.0,
    on_listening: Callable[[int], object] | None = None,
) -> None:
    """Serves *app* until *stop*; open requests then get *grace* seconds.

    *on_listening* is given the port (the real one, for port 0). Raises PortTaken.
    """
    with _listening(host, port) as listener:
        real_port: int = listener.getsockname()[1]
        server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                server_header=False,
                # Longer than the edge keeps a quiet connection, or a request meets its end.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, round(grace)),
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        log.info("http.listening", address=f"{host}:{port}", port=real_port)
        if on_listening is not None:
            on_listening(real_port)
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Signals are the process's, not one server's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            raise PortTaken(
                f"Can not listen on {host}:{port}: the port is taken by another process, or the "
                "address is not one of this machine."
            ) from error
        yield listener
    finally:
        listener.close()
