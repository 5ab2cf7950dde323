"""How does the picture of a model come into storage? Fetched like a result, and made small.

Each lies under a key of its own: one that is being deleted is never the one that is stored. A cover
is no reason to fail: without one the model is shown without.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import structlog

from generator.adapters.delivery import DeliveryError, FileRefused
from generator.worker.parts import Parts
from servicekit import failpoints
from servicekit.media_types import HEAD_BYTES, sniff
from servicekit.objects import ObjectError

log = structlog.get_logger()

LONGEST_SIDE = 640
LARGEST = 20_000_000  #: bytes of what the provider has


async def keep_cover(parts: Parts, url: str) -> str:
    """The key of the small picture of what lies at *url*; empty if none could be made."""
    if not url:
        return ""
    try:
        return await _kept(parts, url)
    except (DeliveryError, ObjectError) as error:
        log.info("cover.not_kept", url=url, error=str(error) or type(error).__name__)
        return ""


async def _kept(parts: Parts, url: str) -> str:
    with parts.spool.copy() as copy:
        head = b""
        async with parts.delivery.open(url) as download:
            async for chunk in copy.passing(_bounded(download.chunks)):
                head = (head + chunk)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
        if not copy.whole:
            return ""
        media_type = sniff(head, download.declared_type)
        seen = await parts.decoders.look(copy.path, media_type, LONGEST_SIDE)
    if not seen.preview:
        return ""
    key = f"covers/{secrets.token_hex(16)}.webp"
    with failpoints.around("keep_cover"):
        await parts.objects.put_stream(
            key, _once(seen.preview), content_type="image/webp", max_bytes=len(seen.preview)
        )
    return key


async def _bounded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > LARGEST:
            raise FileRefused(f"It is larger than {LARGEST} bytes.")
        yield chunk


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
