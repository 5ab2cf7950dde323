"""What passes on a stream's way into the object store? Its bytes, counted, hashed and capped."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from servicekit.object_errors import ObjectDiffers, ObjectTooLarge


class Source:
    """Counts and hashes a stream on its way. Remembers its error: a store may wrap or lose it."""

    def __init__(
        self, key: str, chunks: AsyncIterator[bytes], max_bytes: int, sha256: str = ""
    ) -> None:
        self._key = key
        self._chunks = aiter(chunks)
        self._max_bytes = max_bytes
        self._sha256 = sha256
        self.size = 0
        self.hash = hashlib.sha256()
        self.exhausted = False
        self.error: BaseException | None = None

    async def take(self, at_least: int) -> bytes:
        """The next *at_least* bytes (some more, up to a chunk), or all that is left."""
        taken = bytearray()
        while len(taken) < at_least and (chunk := await self._next()) is not None:
            taken += chunk
        return bytes(taken)

    async def all(self, first: bytes) -> AsyncIterator[bytes]:
        yield first
        while (chunk := await self._next()) is not None:
            yield chunk

    async def _next(self) -> bytes | None:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            if self._sha256 and self._sha256 != self.hash.hexdigest():
                self.error = ObjectDiffers(f"{self._key} has another SHA-256.")
                raise self.error from None
            self.exhausted = True
            return None
        except BaseException as error:
            self.error = error
            raise
        self.size += len(chunk)
        if self.size > self._max_bytes:
            self.error = ObjectTooLarge(f"{self._key} is longer than {self._max_bytes} bytes.")
            raise self.error
        self.hash.update(chunk)
        return chunk
