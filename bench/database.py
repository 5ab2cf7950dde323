"""What does the bench ask the stack's database, and how is it emptied between measurements?"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from bench.load import run

_POLL = 0.1


def value(url: str, query: str) -> Any:
    """The one value of *query*."""

    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return run(ask())


def wait_for(url: str, query: str, wanted: int, timeout: float) -> int:
    """What *query* gives once it is at least *wanted*, or less when time is up."""

    async def wait() -> int:
        connection = await asyncpg.connect(url)
        deadline = time.monotonic() + timeout
        try:
            while (found := int(await connection.fetchval(query))) < wanted:
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(_POLL)
            return found
        finally:
            await connection.close()

    return run(wait())


def forget_jobs(url: str) -> None:
    """No job is left; messages about them find nothing to claim."""
    value(url, "TRUNCATE jobs CASCADE")
