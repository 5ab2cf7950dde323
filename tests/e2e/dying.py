"""How is a gateway killed while it serves one call?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from devstack.ports import free_port
from devstack.testing import Stack

from .nursery import Nursery


async def asked_in_vain(port: str, method: str, path: str, **request: Any) -> None:
    """Asks the gateway that dies over it, as soon as that listens."""
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        while True:
            try:
                answer = await http.request(method, path, **request)
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
            except httpx.HTTPError:
                return
            else:
                raise AssertionError(f"answered: {answer.text}")


async def die(
    stack: Stack, nursery: Nursery, folder: Path, name: str, method: str, path: str, **request: Any
) -> None:
    """A gateway is killed at *name* while it is asked for that."""
    own = {"GATEWAY_PORT": str(free_port()), "GATEWAY_HTTP_PORT": str(free_port())}
    mark = folder / "mark"
    env = {
        "STORE_ADDRESS": stack.store_address,
        "AMQP_URL": stack.amqp_url,
        "ARTIFACTS_URL": (stack.state / "artifacts").as_uri(),
        "MEDIAGEN_FAILPOINT": name,
        "MEDIAGEN_FAILPOINT_MARK": str(mark),
        **own,
    }
    with nursery.start("gateway", env, folder / "log") as gateway:
        await asked_in_vain(own["GATEWAY_HTTP_PORT"], method, path, **request)
        async with asyncio.timeout(30):
            while not gateway.gone:
                await asyncio.sleep(0.02)
    assert mark.exists(), f"nobody came past {name}"
