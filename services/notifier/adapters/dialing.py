"""Which address is connected to? One of those that were checked, and no name is resolved again.

    host ─▶ Resolver: every address may be called ─▶ connect(address) ─▶ TLS for the host
A name that leads elsewhere the next time it is asked (DNS rebinding) finds nobody who asks again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import httpcore

from notifier.adapters.resolving import Resolver
from notifier.adapters.undelivered import Undelivered
from notifier.domain.outcome import Outcome, unconnected, untrusted
from servicekit.hosts import Address
from servicekit.webhook_urls import Target

CONNECT_PATIENCE = 5.0
_MOST_ADDRESSES = 4


class Dialer:
    """Connections to the hosts of webhooks."""

    def __init__(
        self,
        resolver: Resolver,
        tls: ssl.SSLContext | None = None,
        *,
        patience: float = CONNECT_PATIENCE,
    ) -> None:
        """*patience*: seconds for the connection, and again for its TLS."""
        self._resolver = resolver
        self._tls = tls or httpcore.default_ssl_context()
        self._network = httpcore.AnyIOBackend()
        self._patience = patience

    async def dial(self, wanted: Target) -> httpcore.AsyncNetworkStream:
        """A connection that is ready for the request. Raises Undelivered."""
        addresses = await self._resolver.addresses(wanted)
        stream = await self._connected(addresses[:_MOST_ADDRESSES], wanted.port)
        if wanted.scheme == "http":
            return stream
        try:
            return await stream.start_tls(self._tls, wanted.host, self._patience)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError) as error:
            raise Undelivered(_tls_trouble(error)) from error
        except asyncio.CancelledError:
            await stream.aclose()  # of errors it has closed itself
            raise

    async def _connected(
        self, addresses: Sequence[Address], port: int
    ) -> httpcore.AsyncNetworkStream:
        end = asyncio.get_running_loop().time() + self._patience
        last: Exception | None = None
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            seconds = max(end - asyncio.get_running_loop().time(), 0.1) / left
            try:
                return await self._network.connect_tcp(str(address), port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError) as error:
                last = error
        raise Undelivered(unconnected("No connection could be made.")) from last


def _tls_trouble(error: Exception) -> Outcome:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return untrusted(f"The certificate was not accepted: {cause.verify_message}.")
    if isinstance(cause, ssl.SSLError):
        return untrusted("No TLS could be agreed upon.")
    return unconnected("The connection broke before it was secured.")
