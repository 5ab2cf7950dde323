"""How are servers, channels and health put together?"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from servicekit import channels, server
from servicekit.health import Health
from servicekit.lifecycle import Stop

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def serving(health: Health, *, port: int = 0, grace: float = 1) -> AsyncIterator[int]:
    grpc_server = server.build()
    health.register(grpc_server)
    stop, bound = Stop(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        server.serve(
            grpc_server,
            f"127.0.0.1:{port}",
            stop,
            grace=grace,
            on_listening=bound.set_result,
            on_drain=health.drain,
        )
    )
    try:
        yield await bound
    finally:
        stop.set()
        await task


async def status(channel: grpc.aio.Channel, service: str = "") -> Any:
    stub = health_pb2_grpc.HealthStub(channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_health_is_that_of_the_dependencies() -> None:
    """Not serving before the first look; one failed required check is enough."""
    works = {"database": True}

    async def database() -> bool:
        return works["database"]

    async def provider() -> None:
        raise ConnectionError("down")

    health = Health(["a.B"])
    health.add("database", database)
    health.add("provider", provider, required=False)
    async with serving(health) as port, channels.open(f"127.0.0.1:{port}") as channel:
        assert await status(channel) == NOT_SERVING
        await health.refresh()
        assert health.snapshot() == {"database": True, "provider": False}
        assert await status(channel) == await status(channel, "a.B") == SERVING
        works["database"] = False
        await health.refresh()
        assert await status(channel, "a.B") == NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await status(channel, "unknown")
        assert failed.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_hanging_check_has_failed() -> None:
    """No answer within the deadline is an answer; the others are not held up."""

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def fine() -> None:
        return None

    health, began = Health(deadline=0.1), time.monotonic()
    health.add("hangs", hangs)
    health.add("fine", fine)
    await health.refresh()
    assert health.snapshot() == {"hangs": False, "fine": True}
    assert time.monotonic() - began < 1


async def test_watchers_see_changes_and_the_drain_frees_them() -> None:
    """An open watch must not hold the server for its whole grace."""
    health = Health()
    health.add("it", lambda: asyncio.sleep(0))
    async with serving(health, grace=30) as port, channels.open(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        call = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await call.read()).status == NOT_SERVING
        await health.refresh()
        assert (await call.read()).status == SERVING
        began = time.monotonic()
        await health.drain()
        assert (await call.read()).status == NOT_SERVING
        assert await call.read() is grpc.aio.EOF
    assert time.monotonic() - began < 5


async def test_a_watcher_that_was_busy_still_sees_the_drain() -> None:
    """The last word is never skipped, also when it fell while the watcher looked elsewhere."""
    health, seen = Health(), []
    async for _ in health.watch():
        seen.append(health.serving)
        if len(seen) == 1:
            await health.drain()
    assert seen == [True, False]


async def test_the_loop_checks_until_stop() -> None:
    """Then it says not serving."""
    health, stop = Health(every=0.01), Stop()
    health.add("it", lambda: asyncio.sleep(0))
    task = asyncio.create_task(health.run(stop))
    async for snapshot in health.watch():
        if snapshot["it"]:
            break
    assert health.serving
    stop.set()
    await task
    assert not health.serving


async def test_a_taken_port_is_said_clearly() -> None:
    """The second of two servers fails; it does not share the port."""
    async with serving(Health()) as port:
        with pytest.raises(server.PortTaken, match=f"127.0.0.1:{port}: the port is taken"):
            await server.serve(server.build(), f"127.0.0.1:{port}", Stop())


async def test_a_channel_finds_the_replica_that_is_left() -> None:
    """Two addresses, one dead: calls go on, also after it has come back."""
    first, second = Health(), Health()
    async with serving(first) as one:
        async with serving(second) as two:
            channel = channels.open(f"127.0.0.1:{one},127.0.0.1:{two}")
            for _ in range(10):
                await status(channel)
        for _ in range(10):
            stub = health_pb2_grpc.HealthStub(channel)
            await stub.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        await channel.close()


async def test_a_channel_reconnects_within_two_seconds() -> None:
    """A restarted store is found again soon: the bound of the back-off is 2 s."""
    async with serving(Health()) as port:
        channel = channels.open(f"127.0.0.1:{port}")
        await status(channel)
    with pytest.raises(grpc.aio.AioRpcError):
        await status(channel)
    await asyncio.sleep(3)
    async with serving(Health(), port=port):
        began = time.monotonic()
        stub = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        assert time.monotonic() - began < 4
    await channel.close()


async def test_a_call_without_a_timeout_gets_one() -> None:
    """A peer that accepts and says nothing can not hold a caller for ever."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        async with channels.open(f"127.0.0.1:{deaf.getsockname()[1]}", timeout=0.3) as channel:
            began = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await status(channel)
            assert failed.value.code() in (
                grpc.StatusCode.DEADLINE_EXCEEDED,
                grpc.StatusCode.UNAVAILABLE,
            )
            assert time.monotonic() - began < 3


async def test_an_idempotent_call_survives_a_restart() -> None:
    """UNAVAILABLE is repeated only for methods named so."""
    tries = []

    class Flaky(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
        async def Check(self, request: Any, context: Any) -> Any:
            tries.append(1)
            if len(tries) < 3:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            return health_pb2.HealthCheckResponse(status=SERVING)

    grpc_server = server.build()
    health_pb2_grpc.add_HealthServicer_to_server(Flaky(), grpc_server)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    address = f"127.0.0.1:{port}"
    async with channels.open(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await status(channel)
    tries.clear()
    async with channels.open(address, idempotent=["grpc.health.v1.Health/Check"]) as channel:
        assert await status(channel) == SERVING
    assert len(tries) == 3
    await grpc_server.stop(None)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("store:50052", "dns:///store:50052"),
        ("localhost:1", "dns:///localhost:1"),
        ("127.0.0.1:1", "ipv4:127.0.0.1:1"),
        ("127.0.0.1:1, localhost:2", "ipv4:127.0.0.1:1,127.0.0.1:2"),
        ("[::1]:1,[::1]:2", "ipv6:[::1]:1,[::1]:2"),
    ],
)
def test_an_address_becomes_a_target(address: str, target: str) -> None:
    """Several addresses are one target, so that round robin sees them all."""
    assert channels.target(address) == target


@pytest.mark.parametrize("address", ["", "store", "store:x", "a:1,b:2", "127.0.0.1:1,[::1]:1"])
def test_a_wrong_address_is_refused(address: str) -> None:
    """gRPC would accept it and fail at the first call."""
    with pytest.raises(ValueError, match=r"expected|must all"):
        channels.target(address)
