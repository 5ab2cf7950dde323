"""How are thousands of streams read without measuring gRPC's client?

Connections that know just what a gRPC server sends: HEADERS, DATA, PING, SETTINGS, GOAWAY. What a
header says is not looked at; a stream that ends is an error. grpc.aio takes longer to read a
message than a server takes to send it.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Sequence
from typing import Self, cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_WIDEST = (1 << 31) - 1
_FIRST_WINDOW = 65_535
_PREFIX = 5  # of a gRPC message: not compressed, and its length

#: Which stream (its number among the requests), the message, and when it came: time.time().
Arrival = Callable[[int, bytes, float], None]


class StreamBroken(Exception):
    """A stream, or its connection, ended."""


class StreamConnection(asyncio.Protocol):
    """One HTTP/2 connection with any number of server streams."""

    def __init__(self, on_message: Arrival, on_broken: Callable[[StreamBroken], None]) -> None:
        self._on_message = on_message
        self._on_broken = on_broken
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._numbers: dict[int, int] = {}
        self._parts: dict[int, bytes] = {}
        self._next_id = 1

    def open(self, number: int, path: str, request: bytes, authority: str) -> None:
        """A stream of *path*, whose messages are given out as those of *number*."""
        stream_id, self._next_id = self._next_id, self._next_id + 2
        self._numbers[stream_id] = number
        message = struct.pack(">BI", 0, len(request)) + request
        self._write(
            _frame(_HEADERS, _END_HEADERS, stream_id, _headers(path, authority))
            + _frame(_DATA, _END_STREAM, stream_id, message)
        )

    def close(self) -> None:
        self._on_broken = lambda _: None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its base class.
        self._transport = cast(asyncio.Transport, transport)
        # Windows so wide that none has to be moved on.
        settings = struct.pack(">HI", 0x4, _WIDEST) + struct.pack(">HI", 0x2, 0)
        wider = struct.pack(">I", _WIDEST - _FIRST_WINDOW)
        self._write(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW, 0, 0, wider))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= 9:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if end - at - 9 < length:
                break
            kind, flags = buffer[at + 3], buffer[at + 4]
            stream_id = int.from_bytes(buffer[at + 5 : at + 9], "big") & _WIDEST
            body = bytes(buffer[at + 9 : at + 9 + length])
            at += 9 + length
            if kind == _DATA:
                self._take(stream_id, body, now)
            else:
                self._control(kind, flags, body)
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_broken(StreamBroken(f"the connection was closed: {exc}"))

    def _take(self, stream_id: int, body: bytes, now: float) -> None:
        body = self._parts.pop(stream_id, b"") + body
        while len(body) >= _PREFIX:
            length = _PREFIX + int.from_bytes(body[1:_PREFIX], "big")
            if len(body) < length:
                break
            self._on_message(self._numbers[stream_id], body[_PREFIX:length], now)
            body = body[length:]
        if body:
            self._parts[stream_id] = body

    def _control(self, kind: int, flags: int, body: bytes) -> None:
        if kind == _PING and not flags & _ACK:
            self._write(_frame(_PING, _ACK, 0, body))
        elif kind == _SETTINGS and not flags & _ACK:
            self._write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind in (_RESET, _GOAWAY) or (kind == _HEADERS and flags & _END_STREAM):
            self._on_broken(StreamBroken(f"the server ended a stream: {kind} {body[:300]!r}"))

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


class Streams:
    """*many* streams over a few connections. `on_message` may be set to another at any time."""

    def __init__(self) -> None:
        self._connections: list[StreamConnection] = []
        self._broken: StreamBroken | None = None
        self.on_message: Arrival = lambda *_: None

    @classmethod
    async def open(
        cls,
        address: str,
        path: str,
        requests: Sequence[bytes],
        is_ready: Callable[[bytes], bool] = lambda _: True,
        *,
        connections: int = 8,
    ) -> Self:
        """One stream for each of *requests*, numbered in that order; each *is_ready* by now."""
        made, waiting = cls(), set(range(len(requests)))
        ready = asyncio.Event()

        def first(number: int, message: bytes, now: float) -> None:
            if number in waiting and is_ready(message):
                waiting.discard(number)
                if not waiting:
                    ready.set()

        made.on_message = first
        host, port = address.rsplit(":", 1)
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, protocol = await loop.create_connection(made._connection, host, int(port))
            made._connections.append(protocol)
        for number, request in enumerate(requests):
            made._connections[number % connections].open(number, path, request, address)
            if number % 100 == 99:
                await asyncio.sleep(0)
        while not ready.is_set():
            made.check()
            try:
                async with asyncio.timeout(1.0):
                    await ready.wait()
            except TimeoutError:
                continue
        return made

    def check(self) -> None:
        """Raises StreamBroken if any stream has ended."""
        if self._broken is not None:
            raise self._broken

    def close(self) -> None:
        for each in self._connections:
            each.close()

    def _connection(self) -> StreamConnection:
        return StreamConnection(
            lambda number, message, now: self.on_message(number, message, now), self._break
        )

    def _break(self, error: StreamBroken) -> None:
        self._broken = self._broken or error


def _frame(kind: int, flags: int, stream_id: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + body


def _headers(path: str, authority: str) -> bytes:
    """HPACK without its table and without Huffman's code."""
    fields = (
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
        ("content-type", "application/grpc"), ("te", "trailers"),
    )  # fmt: skip
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)


def _string(text: str) -> bytes:
    coded = text.encode()
    assert len(coded) < 127
    return bytes((len(coded),)) + coded
