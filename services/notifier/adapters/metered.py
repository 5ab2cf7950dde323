"""How much is read of what somebody else sends? So many bytes, and not one more."""

from __future__ import annotations

import httpcore


class TooMuch(Exception):
    """The other side sent more than is read."""


class Metered(httpcore.AsyncNetworkStream):
    """A connection from which *left* more bytes may be read; reading on raises TooMuch."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, left: int) -> None:
        self._stream = stream
        self.left = left

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.left <= 0:
            raise TooMuch
        found = await self._stream.read(min(max_bytes, self.left), timeout)
        self.left -= len(found)
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()
