"""Is that part ready to serve? One cheap question per protocol, each with a time limit."""

import asyncio
import struct
import urllib.error
import urllib.request
from collections.abc import Callable

import grpc

_TIMEOUT = 2.0
_SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING} on the wire


async def tcp(port: int) -> bool:
    """Something accepts connections."""
    return await _exchange(port, b"", 0) is not None


async def amqp(port: int) -> bool:
    """The broker answers the AMQP greeting with a method frame (connection.start)."""
    reply = await _exchange(port, b"AMQP\x00\x00\x09\x01", 1)
    return reply == b"\x01"


async def postgres(port: int, user: str, database: str) -> bool:
    """The server asks for a password; one that starts or stops answers with an error instead."""
    body = struct.pack("!I", 196608) + f"user\0{user}\0database\0{database}\0\0".encode()
    reply = await _exchange(port, struct.pack("!I", len(body) + 4) + body, 1)
    return reply == b"R"


async def http(url: str) -> bool:
    """GET answers 2xx."""
    return await asyncio.to_thread(_get, url)


async def grpc_health(address: str) -> bool:
    """grpc.health.v1 says SERVING for the whole server."""
    return await asyncio.to_thread(_check, address)


async def _exchange(port: int, request: bytes, reply_length: int) -> bytes | None:
    """Send, read that many bytes; None when the connection or the reply does not come."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                return await reader.readexactly(reply_length)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return None


def _get(url: str) -> bool:
    # An empty ProxyHandler: a proxy from the environment must not be asked for 127.0.0.1.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT) as reply:
            return bool(200 <= reply.status < 300)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _identity(message: bytes) -> bytes:
    return message


def _check(address: str) -> bool:
    # The blocking channel in a thread: grpc.aio shares one poller among all event loops of a
    # process, and tests have loops of their own. Raw bytes, since both messages are two fields.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        call: Callable[..., object] = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=_identity,
            response_deserializer=_identity,
        )
        try:
            reply = call(b"", timeout=_TIMEOUT)
        except grpc.RpcError:
            return False
        return reply == _SERVING
