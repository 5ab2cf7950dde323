"""How is an input file given to the provider? Uploaded once, streamed; free of charge.

A repeat makes a second file, which is harmless: it goes by itself after a day. The client is its
own, since a file may take minutes and nothing else should wait behind it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import httpx

from generator.adapters.endpoint import (
    ProviderUnreachable,
    base_url,
    decoded,
    headers,
    tls,
    uses_proxy,
)
from generator.adapters.reading import exchange
from servicekit import failpoints

#: What the provider takes: less than this.
MOST_BYTES: Final = 100_000_000
_LEAST_TIME = 30.0
_SLOWEST = 500_000  # bytes a second; what is slower is given up
_KEPT = 3600.0  # seconds, where the provider does not say
_LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileGiven:
    """A file at the provider: its address for an input, and how long it is kept, in seconds."""

    url: str
    kept: float


class InputFiles:
    """POST /v1/files."""

    def __init__(self, url: str, token: str, *, connections: int = 4) -> None:
        self._url = f"{base_url(url)}/files"
        self._turns = asyncio.Semaphore(connections)
        self._client = httpx.AsyncClient(
            headers=headers(token),
            follow_redirects=False,
            verify=tls(),
            trust_env=uses_proxy(url),
            timeout=httpx.Timeout(60.0, connect=5.0, pool=30.0),
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=5.0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def give(
        self, name: str, media_type: str, size: int, chunks: AsyncIterator[bytes]
    ) -> FileGiven:
        """Uploads *size* bytes. Raises ProviderError, or what *chunks* raises."""
        boundary = secrets.token_hex(16)
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{quoted}"'
            f"\r\nContent-Type: {media_type}\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        told = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        try:
            async with self._turns, asyncio.timeout(_LEAST_TIME + size / _SLOWEST):
                with failpoints.around("upload_file"):
                    response = await exchange(
                        self._client, "POST", self._url, most=_LARGEST_ANSWER,
                        content=_form(head, chunks, tail), headers=told,
                    )  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise ProviderUnreachable(type(error).__name__) from error
        return _given(decoded(response))


async def _form(head: bytes, chunks: AsyncIterator[bytes], tail: bytes) -> AsyncIterator[bytes]:
    yield head
    async for chunk in chunks:
        yield chunk
    yield tail


def _given(body: Any) -> FileGiven:
    urls = body.get("urls") if isinstance(body, dict) else None
    url = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")) or len(url) > 2000:
        raise ProviderUnreachable("The file that was uploaded has no address.")
    made, ends = _time(body.get("created_at")), _time(body.get("expires_at"))
    # Both by the provider's clock: ours need not agree with it.
    kept = (ends - made).total_seconds() if made is not None and ends is not None else _KEPT
    return FileGiven(url, max(0.0, min(kept, 7 * 86_400)))


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
