"""The bench's own reader of streams, against gRPC's server."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from bench.stream_client import StreamBroken, Streams

PATH = "/test.Numbers/Count"


class Server:
    """Answers with a short message, and once `go` is set with longer and longer ones, as many as
    the request says. Then it ends the stream, unless the request ends in "+"."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.address = ""

    async def count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"0"
        await self.go.wait()
        for number in range(1, 1 + int(request.rstrip(b"+"))):
            yield b"%d" % number * 20_000 * number
        if request.endswith(b"+"):
            await asyncio.sleep(60)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made, built = Server(), grpc.aio.server()
    method = grpc.unary_stream_rpc_method_handler(made.count)
    handler = grpc.method_handlers_generic_handler("test.Numbers", {"Count": method})
    built.add_generic_rpc_handlers((handler,))
    made.address = f"127.0.0.1:{built.add_insecure_port('127.0.0.1:0')}"
    await built.start()
    yield made
    await built.stop(0)


async def test_every_message_is_read_whole_and_by_its_stream(server: Server) -> None:
    """Messages longer than a frame are put together, and streams of a connection kept apart."""
    found: dict[int, list[bytes]] = defaultdict(list)
    opened = await Streams.open(server.address, PATH, [b"3+"] * 30, connections=3)
    opened.on_message = lambda number, message, now: found[number].append(message)
    try:
        server.go.set()
        async with asyncio.timeout(10):
            while sum(map(len, found.values())) < 90:
                await asyncio.sleep(0.01)
        opened.check()
    finally:
        opened.close()
    expected = [b"1" * 20_000, b"2" * 40_000, b"3" * 60_000]
    assert found == dict.fromkeys(range(30), expected)


async def test_a_stream_that_ends_is_an_error(server: Server) -> None:
    """What is measured then would be of fewer streams than it says."""
    opened = await Streams.open(server.address, PATH, [b"2", b"2+"], connections=1)
    server.go.set()
    try:
        await asyncio.sleep(0.5)
        with pytest.raises(StreamBroken):
            opened.check()
    finally:
        opened.close()
