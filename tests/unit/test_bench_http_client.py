"""The bench's HTTP connection, against servers that answer in pieces, wrongly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from bench.http_client import HttpConnection, UnexpectedAnswer, get, post


@asynccontextmanager
async def _server(*answers: Sequence[bytes]) -> AsyncIterator[str]:
    """Sends the pieces of one answer for each request, then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for pieces in answers:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_answer_in_pieces_is_one_body() -> None:
    """However TCP cuts it, and the connection is used again."""
    pieces = [b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\n\r\nhe", b"llo"]
    async with _server(pieces, [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]) as url:
        connection = await HttpConnection.open(url)
        try:
            assert await connection.call(get(f"{url}/a")) == b"hello"
            assert await connection.call(get(f"{url}/b")) == b"ok"
        finally:
            connection.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_anything_but_a_success_of_known_length_is_an_error(answer: bytes) -> None:
    """A refusal is quickly given, and must not count as a fast call."""
    async with _server([answer]) as url:
        connection = await HttpConnection.open(url)
        with pytest.raises(UnexpectedAnswer):
            await connection.call(get(url + "/"))
        connection.close()


async def test_a_closed_connection_is_an_error() -> None:
    """Not a wait without end."""
    async with _server([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"]) as url:
        connection = await HttpConnection.open(url)
        with pytest.raises(ConnectionError):
            await connection.call(get(url + "/"))


def test_a_post_says_what_it_carries() -> None:
    """Type and length, which the gateway insists on."""
    sent = post("http://127.0.0.1:8000/api/v1/generate", {"prompt": "é"})
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/generate HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert b"Content-Type: application/json" in head
    assert f"Content-Length: {len(body)}".encode() in head
