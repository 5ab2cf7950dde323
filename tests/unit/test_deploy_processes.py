"""The two small programs that containers need: the health probe, and the way to the simulator."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as grpc_health

from servicekit import probe
from simulator import doorway

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def http_port() -> AsyncIterator[int]:
    """An HTTP server that is ready at /readyz, and 503 elsewhere; it says what it was sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status = b"200 OK" if b"/readyz" in request else b"503 Service Unavailable"
        writer.write(b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello" % status)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("status", "problem"), [(SERVING, ""), (NOT_SERVING, "NOT_SERVING")])
async def test_the_probe_repeats_what_grpc_health_says(status: int, problem: str) -> None:
    server, health = grpc.aio.server(), grpc_health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    await health.set("", status)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        found = await asyncio.to_thread(probe.check, f"127.0.0.1:{port}")
    finally:
        await server.stop(None)
    assert found == (f"127.0.0.1:{port}: {problem}" if problem else "")


async def test_the_probe_of_a_page_wants_a_good_answer(http_port: int) -> None:
    base = f"http://127.0.0.1:{http_port}"
    assert await asyncio.to_thread(probe.check, f"{base}/readyz") == ""
    assert "503" in await asyncio.to_thread(probe.check, f"{base}/other")


def test_the_probe_s_exit_status_is_for_a_health_check() -> None:
    """1, with a word on standard error, where nothing listens; 2 without an address."""
    command = [sys.executable, "-m", "servicekit.probe"]
    done = subprocess.run([*command, "127.0.0.1:1"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (1, "127.0.0.1:1: UNAVAILABLE\n")
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 2


async def test_the_doorway_leads_to_the_other_machine_and_back(http_port: int) -> None:
    async with await doorway.listen(0, "127.0.0.1", http_port) as door:
        port = door.sockets[0].getsockname()[1]
        assert await asyncio.to_thread(probe.check, f"http://127.0.0.1:{port}/readyz") == ""


async def test_a_doorway_to_nobody_closes_the_connection() -> None:
    """And goes on listening: the simulator may be on its way up."""
    async with await doorway.listen(0, "127.0.0.1", 1) as door:
        for _ in range(2):
            port = door.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
