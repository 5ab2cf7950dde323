"""How does a test run a gateway in its own process, against a store in memory?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
from grpc_status import rpc_status
from pydantic import SecretStr

from gateway.__main__ import main
from gateway.settings import Settings
from mediagen.v1 import generation_service_pb2_grpc as pb2_grpc
from servicekit.lifecycle import Stop
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.store import FakeStore, serving
from tests.fakes.store_catalogue import FakeCatalogue, FakeUploads


@dataclass
class Gateway:
    """A running gateway, a fake store behind it, and a client of each kind."""

    store: FakeStore
    endpoints: FakeEndpoints
    catalogue: FakeCatalogue
    files: FakeUploads
    stub: Any
    channel: grpc.aio.Channel
    http: httpx.AsyncClient
    stop: Stop
    done: asyncio.Task[None]
    artifacts: Path
    grpc_port: int
    http_port: int


@asynccontextmanager
async def running_gateway(folder: Path, **more: Any) -> AsyncIterator[Gateway]:
    """Runs one; *more* are settings beside those."""
    store, endpoints, stop = FakeStore(), FakeEndpoints(), Stop()
    catalogue, files = FakeCatalogue(), FakeUploads()
    ready: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
    async with serving(store, endpoints=endpoints, catalogue=catalogue, files=files) as store_port:
        settings = Settings(
            gateway_port=0,
            gateway_http_port=0,
            store_address=f"127.0.0.1:{store_port}",
            # Nobody listens there: everything here holds without a broker.
            amqp_url=SecretStr("amqp://guest:guest@127.0.0.1:1/"),
            public_url="https://media.example.com",
            state_dir=folder,
            gateway_drain_seconds=2,
            **more,
        )
        done = asyncio.create_task(
            main(settings, stop, lambda rpc, http: ready.set_result((rpc, http)))
        )
        rpc_port, http_port = await asyncio.wait_for(ready, 10)
        async with (
            grpc.aio.insecure_channel(f"127.0.0.1:{rpc_port}") as channel,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{http_port}", trust_env=False) as http,
        ):
            stub = pb2_grpc.GenerationServiceStub(channel)
            yield Gateway(
                store, endpoints, catalogue, files, stub, channel, http, stop, done,
                folder / "artifacts", rpc_port, http_port,
            )  # fmt: skip
        stop.set()
        await asyncio.wait_for(done, 15)


def details(error: grpc.aio.AioRpcError, kind: Any) -> Any:
    """The detail of one kind in a refusal."""
    status = rpc_status.from_call(error)
    assert status is not None
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    raise AssertionError(f"no {kind.__name__} in {status}")


async def refusal(call: Any) -> grpc.aio.AioRpcError:
    """The error that a call ends with, stream or not."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("not refused")
