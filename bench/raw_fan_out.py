"""What can grpc.aio do by itself? One message to many streams, and nothing else."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import grpc

from bench.load import run

_SERVICE = "bench.FanOut"
WATCH, TELL = f"/{_SERVICE}/Watch", f"/{_SERVICE}/Tell"
_TIME = struct.Struct("<d")


def serve(on_port: Callable[[int], None]) -> None:
    """Streams that begin with an empty message, and get every request to TELL from then on."""
    listeners: set[asyncio.Queue[bytes]] = set()

    async def watch(request: bytes, context: Any) -> AsyncGenerator[bytes, None]:
        mine: asyncio.Queue[bytes] = asyncio.Queue()
        listeners.add(mine)
        try:
            yield b""
            while True:
                yield await mine.get()
        finally:
            listeners.discard(mine)

    async def tell(request: bytes, context: Any) -> bytes:
        message = _TIME.pack(time.time()) + request[_TIME.size :]
        for each in listeners:
            each.put_nowait(message)
        return b""

    async def main() -> None:
        many = 100_000
        server = grpc.aio.server(
            options=[
                ("grpc.server.max_pending_requests", many),
                ("grpc.server.max_pending_requests_hard_limit", many),
            ]
        )
        handlers = {
            "Watch": grpc.unary_stream_rpc_method_handler(watch),
            "Tell": grpc.unary_unary_rpc_method_handler(tell),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
        on_port(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        await server.wait_for_termination()

    run(main())


def told_at(message: bytes) -> float:
    """When the server had the message to pass on: time.time()."""
    at: float = _TIME.unpack_from(message)[0]
    return at
