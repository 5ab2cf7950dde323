"""Receivers of webhooks on loopback, well behaved and not, with certificates of a test's own.

A receiver speaks bytes, so that it can say what no HTTP library would let it say.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import trustme

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Where it listens, and what came in. *connections* counts those without a request too;
    *answer* may be changed between two requests."""

    answer: Answer
    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def says(text: str | bytes) -> Answer:
    """An answer of these bytes; then the connection is closed."""
    raw = text.replace("\n", "\r\n").encode() if isinstance(text, str) else text

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return answer


OK = says("HTTP/1.1 200 OK\nContent-Length: 0\n\n")


@asynccontextmanager
async def receiver(
    answer: Answer = OK,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Receiver]:
    """Reads one request of each connection, and then does what its *answer* does."""
    found = Receiver(answer)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        found.connections += 1
        try:
            found.requests.append(await _request(reader))
            await found.answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()


async def _request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (at.partition(":") for at in lines)
    }
    return Received(line, headers, await reader.readexactly(int(headers["content-length"])))


class Certificates:
    """An authority, and certificates under it."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def server(self, *names: str, days: int = 2) -> ssl.SSLContext:
        """For a server of *names*, host names or addresses; run out where *days* < 0."""
        until = datetime.now(UTC) + timedelta(days=days)
        certificate = self._authority.issue_cert(*names, not_after=until)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        return context

    def trusted(self) -> ssl.SSLContext:
        """For a client that trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context
