"""How is REST called without measuring an HTTP library?

A keep-alive connection that knows just what the edge answers: a status, a Content-Length, a body.
httpx takes longer for a call than the edge does.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self, cast
from urllib.parse import urlsplit


class UnexpectedAnswer(Exception):
    """Not a 2xx with a Content-Length."""


class HttpConnection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    @classmethod
    async def open(cls, base_url: str) -> Self:
        """Connected to the host of *base_url*."""
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port or 80
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(cls, host, port)
        return protocol

    async def call(self, request: bytes) -> bytes:
        """The body of the answer to *request*, which is a whole request."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its base class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or self._answer is None or self._answer.done():
            return
        try:
            length = _content_length(head)
        except UnexpectedAnswer as error:
            self._answer.set_exception(error)
            return
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._answer.set_result(rest[:length])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the connection was closed"))


def _content_length(head: bytes) -> int:
    first, *lines = head.split(b"\r\n")
    if b" 2" not in first[:10]:
        raise UnexpectedAnswer(first.decode(errors="replace"))
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise UnexpectedAnswer("an answer without Content-Length")


def get(url: str) -> bytes:
    """The bytes of a GET request."""
    parts = urlsplit(url)
    return f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()


def post(url: str, document: Any) -> bytes:
    """The bytes of a POST request with a JSON body."""
    parts = urlsplit(url)
    body = json.dumps(document).encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
