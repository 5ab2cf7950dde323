"""To which addresses does a host lead, and may all of them be called?

The resolver of the machine is asked in threads of our own: a name server that never answers holds
one of them for its own time-out, and must not hold the lookups of others.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from notifier.adapters.undelivered import Undelivered
from notifier.domain.outcome import forbidden, not_sent, unconnected
from servicekit.hosts import Address, HostList
from servicekit.webhook_urls import Target, may_call

PATIENCE = 5.0

#: As socket.getaddrinfo: host, port -> (family, type, protocol, name, (address, …))
Lookup = Callable[[str, int], Sequence[tuple[Any, ...]]]


def look_up(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """Asks the machine's resolver. Blocks."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Resolver:
    """Names to addresses that were checked, all of them, against the public ones and *allowed*."""

    def __init__(
        self,
        allowed: HostList,
        *,
        threads: int,
        lookup: Lookup = look_up,
        patience: float = PATIENCE,
    ) -> None:
        self._allowed = allowed
        self._lookup = lookup
        self._patience = patience
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, wanted: Target) -> list[Address]:
        """Where *wanted* leads, in the resolver's order. Raises Undelivered."""
        if wanted.address is not None:
            found = [wanted.address]
        else:
            # With its last dot, so that no search list of this machine makes another name of it.
            name = wanted.host if wanted.named else f"{wanted.host}."
            found = await self._found(name, wanted.port)
        # One bad apple: whoever mixes them means us to take the other one.
        if not all(may_call(address, wanted, self._allowed) for address in found):
            raise Undelivered(forbidden("The host leads to an address that may not be called."))
        return found

    async def _found(self, name: str, port: int) -> list[Address]:
        asked = self._threads.submit(self._lookup, name, port)
        try:
            async with asyncio.timeout(self._patience):
                rows = await asyncio.wrap_future(asked)
        except TimeoutError:
            if asked.cancel():  # it never began
                raise Undelivered(not_sent("Too many hosts were being looked up.")) from None
            raise Undelivered(unconnected("The host could not be looked up in time.")) from None
        except (OSError, UnicodeError) as error:
            raise Undelivered(unconnected("The host could not be found.")) from error
        found = dict.fromkeys(ip_address(row[4][0]) for row in rows)
        if not found:
            raise Undelivered(unconnected("The host could not be found."))
        return list(found)
