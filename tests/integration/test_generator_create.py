"""The paid call on a real connection: what leaves, when, and what is known afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from generator.adapters.create import Ambiguous, CreateClient, Created, NotCreated
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb

ID = b'{"id": "abc", "status": "starting"}'


class Server:
    """Notes every byte that comes, and answers with what a test says."""

    def __init__(self) -> None:
        self.received = b""
        self.connections = 0
        self.answer: bytes | None = http(201, ID)
        self.on_bytes: Callable[[], None] = lambda: None
        self.close_first = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.close_first:
            writer.close()
            return
        try:
            while chunk := await reader.read(65536):
                self.received += chunk
                self.on_bytes()
                if not complete(self.received):
                    continue
                if self.answer is None:
                    break
                writer.write(self.answer)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


def complete(received: bytes) -> bool:
    head, _, body = received.rpartition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(lengths) and len(body) >= int(lengths[-1].split(b":")[1])


def http(status: int, body: bytes, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def running(**more: Any) -> AsyncIterator[tuple[Server, CreateClient]]:
    state = Server()
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with server, CreateClient(url, "r8_secret", timeout=1.0, **more) as client:
        yield state, client


async def create(client: CreateClient, within: float = 5.0, **given: object) -> object:
    send_by = time.monotonic() + within
    return await client.create("a/b", given or {"prompt": "x"}, cancel_after=600, send_by=send_by)


async def test_a_create_says_all_that_it_must_and_nothing_else() -> None:
    """Cancel-After always, Prefer never, the token as Bearer, the official form of the body."""
    async with running() as (server, client):
        assert isinstance(await create(client), Created)
        head, _, body = server.received.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        assert lines[0] == "post /v1/predictions http/1.1"
        assert "cancel-after: 600" in lines
        assert "authorization: bearer r8_secret" in lines
        assert not any(line.startswith("prefer") for line in lines)
        assert json.loads(body) == {"version": "a/b", "input": {"prompt": "x"}}


async def test_past_the_permit_no_byte_leaves() -> None:
    """The connection may stand already: still nothing is sent on it."""
    async with running() as (server, client):
        await create(client)
        sent = len(server.received)
        outcome = await create(client, within=-0.001)
        assert isinstance(outcome, NotCreated)
        assert outcome.failure.kind == pb.FAILURE_KIND_NOT_SENT
        await asyncio.sleep(0.05)
        assert len(server.received) == sent


async def test_a_worker_that_is_paused_before_the_body_sends_no_body() -> None:
    """Headers alone create nothing: that is definite too."""
    moments = iter([0.0, 100.0])
    async with running(clock=lambda: next(moments)) as (server, client):
        outcome = await client.create("a/b", {"prompt": "x"}, cancel_after=60, send_by=5.0)
        assert isinstance(outcome, NotCreated)
        await asyncio.sleep(0.05)
        assert b'"prompt"' not in server.received


async def test_nobody_listening_is_definite() -> None:
    """No byte left us."""
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with CreateClient(f"http://127.0.0.1:{port}", "t", timeout=1.0) as client:
        outcome = await create(client)
    assert isinstance(outcome, NotCreated)
    assert outcome.failure.kind == pb.FAILURE_KIND_NOT_SENT
    assert outcome.failure.retry_after.seconds == 5


async def test_a_connection_that_closes_after_the_request_is_ambiguous() -> None:
    """It may have been taken. One connection: nothing was tried again."""
    async with running() as (server, client):
        server.answer = None
        assert isinstance(await create(client), Ambiguous)
        assert server.connections == 1


async def test_silence_is_ambiguous_after_one_clock_over_all() -> None:
    """Also against a server that sends a byte now and then."""
    async with running() as (server, client):
        server.answer = b"HTTP/1.1 201"
        began = time.monotonic()
        assert isinstance(await create(client), Ambiguous)
        assert 0.9 < time.monotonic() - began < 3


@pytest.mark.parametrize(
    "answer",
    [
        http(201, b"<html>"), http(201, b"{}"), http(200, b'{"id": 5, "status": "x"}'),
        http(204, b""), http(302, b"", "location: https://elsewhere/"), http(408, b""),
        http(500, b"{}"), http(502, b"<html>bad gateway</html>"), http(524, b""),
        b"nonsense\r\n\r\n",
    ],
)  # fmt: skip
async def test_an_answer_without_an_id_or_a_refusal_is_ambiguous(answer: bytes) -> None:
    """No redirect is followed, nothing is sent twice."""
    async with running() as (server, client):
        server.answer = answer
        assert isinstance(await create(client), Ambiguous)
        assert server.received.count(b"POST /v1/predictions") == 1


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_2xx_with_an_id_is_created(status: int) -> None:
    async with running() as (server, client):
        server.answer = http(status, ID)
        outcome = await create(client)
        assert isinstance(outcome, Created)
        assert outcome.prediction.id == "abc"


async def test_a_cdns_refusal_in_html_is_still_definite() -> None:
    """The status decides."""
    async with running() as (server, client):
        server.answer = http(429, b"<html>slow down</html>", "retry-after: 7")
        outcome = await create(client)
        assert isinstance(outcome, NotCreated)
        assert outcome.failure.retry_after.seconds == 7


async def test_a_stale_connection_is_not_used() -> None:
    """Kept for 4 s at most: on one that the server closed, a call would end as unknown."""
    async with running() as (server, client):
        for _ in range(3):
            await create(client)
        assert server.connections == 1
        pool = client._client._transport._pool  # type: ignore[attr-defined]
        assert pool._keepalive_expiry <= 5


async def test_cancel_after_keeps_to_what_the_provider_takes() -> None:
    """At least 5 s, at most a day."""
    async with running() as (server, client):
        for seconds in (1.0, 1e7):
            await client.create("a/b", {}, cancel_after=seconds, send_by=time.monotonic() + 5)
        assert b"Cancel-After: 5\r\n" in server.received
        assert b"Cancel-After: 86400\r\n" in server.received
