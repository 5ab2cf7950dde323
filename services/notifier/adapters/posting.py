"""How is one webhook posted? Once, over a connection of its own, bounded in time and in bytes.

    judge the URL ─▶ dial ─▶ POST ─▶ status ─▶ a little of the body, dropped ─▶ close
No redirect is followed, no cookie kept, no proxy of the environment asked, nothing unpacked. A kept
connection would save a handshake and cost a failure that counts each time that it had gone stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import httpcore

from notifier.adapters.dialing import Dialer
from notifier.adapters.metered import Metered, TooMuch
from notifier.adapters.undelivered import Undelivered
from notifier.domain.outcome import Outcome, answered, forbidden, timed_out, unconnected
from servicekit import failpoints
from servicekit.hosts import HostList
from servicekit.webhook_urls import ForbiddenUrl, Target, target

# Of headers, and of the answers that come before the answer (1xx).
MOST_HEAD_BYTES = 64 * 1024
MOST_BODY_BYTES = 16 * 1024
_BODY_PATIENCE = 2.0
_SENT = "http11.send_request_body.complete"
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError)


class Poster:
    """Posts to whatever *allowed* and the public internet hold."""

    def __init__(self, dialer: Dialer, allowed: HostList) -> None:
        self._dialer = dialer
        self._allowed = allowed

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Outcome:
        """What came of it, after *timeout* seconds at the latest."""
        try:
            wanted = target(url, self._allowed)
        except ForbiddenUrl as error:
            return forbidden(f"The URL {error}.")
        try:
            with failpoints.around("post_webhook"):
                return await self._posted(wanted, headers, body, timeout)
        except Undelivered as error:
            return error.outcome
        except TimeoutError:
            return timed_out(timeout)
        except TooMuch:
            return unconnected("The headers of the answer are too long.")
        except httpcore.RemoteProtocolError:
            return unconnected("The answer was no HTTP, or broke off.")
        except _BROKEN:
            return unconnected("The connection broke.")

    async def _posted(
        self, wanted: Target, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Outcome:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(timeout):
                stream = Metered(await self._dialer.dial(wanted), MOST_HEAD_BYTES)
                stack.push_async_callback(stream.aclose)
                request = _request(wanted, headers, body)
                connection = httpcore.AsyncHTTP11Connection(request.url.origin, stream)
                response = await connection.handle_async_request(request)
            stream.left = MOST_BODY_BYTES
            # The status has said what matters; the sender is let end what it is about to say.
            with suppress(TooMuch, *_BROKEN):
                async with asyncio.timeout(_BODY_PATIENCE):
                    async for _ in response.aiter_stream():
                        pass
            return answered(response.status, response.headers, datetime.now(UTC))


def _request(wanted: Target, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    url = httpcore.URL(
        scheme=wanted.scheme.encode(),
        host=wanted.host.encode(),
        port=wanted.port,
        target=wanted.path.encode(),
    )
    own = {
        "Host": wanted.authority,
        "User-Agent": "mediagen/0.1",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": str(len(body)),
    }
    said = [*own.items(), *headers.items()]
    return httpcore.Request("POST", url, headers=said, content=body, extensions={"trace": _trace})


async def _trace(event: str, info: Mapping[str, Any]) -> None:
    if event == _SENT:
        failpoints.during("post_webhook")
