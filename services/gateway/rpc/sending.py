"""How is a file sent over gRPC? As HttpBody, in pieces; the first says what it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from google.api.httpbody_pb2 import HttpBody

from gateway.adapters.stored_files import Stored, StoredFiles
from servicekit.presentation import content_type

PIECE_BYTES = 64 * 1024


async def bodies(files: StoredFiles, found: Stored) -> AsyncGenerator[HttpBody, None]:
    """All of it; one empty piece where it has no bytes."""
    kind = content_type(found.media_type)
    if found.size == 0:
        yield HttpBody(content_type=kind)
    pieces = files.read(found, 0, found.size, chunk_bytes=PIECE_BYTES)
    async with aclosing(pieces):
        async for piece in pieces:
            yield HttpBody(content_type=kind, data=piece)
            kind = ""
