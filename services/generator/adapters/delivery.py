"""How is one output file fetched? Without the token, from allowed hosts only, whole or not at all.

A break in the middle is resumed where it broke, a few times, within the same stream: whoever
stores the bytes sees one sequence that ends well or raises.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urljoin

import httpx
import structlog

from generator.adapters.delivery_hosts import DeliveryHosts
from generator.adapters.endpoint import tls
from servicekit import failpoints

log = structlog.get_logger()

LONGEST = 600.0
_REDIRECTS = 3
_TRIES = 5
_GONE = frozenset({403, 404, 410})
_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')


class DeliveryError(Exception):
    """Base of why a file could not be fetched.

    * DeliveryError
      - FileRefused (for good: foreign host, too large)
      - FileGone (403, 404, 410: ask the provider whether it was removed)
      - FileTrouble (try again later)
    """


class FileRefused(DeliveryError):
    """Nothing that we fetch; its message is for people."""


class FileGone(DeliveryError):
    """The address is dead."""


class FileTrouble(DeliveryError):
    """The tries were used up without a whole file."""


class _Broken(Exception):
    """This try failed; another may do."""


@dataclass(slots=True)
class _File:
    """What is known of a file over several tries."""

    url: str
    received: int = 0
    length: int | None = None
    etag: str = ""
    md5: bytes | None = None
    declared: str = ""
    digest: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: what its sender calls it, and its bytes."""

    declared_type: str
    chunks: AsyncIterator[bytes]


class Delivery:
    """Fetches files. It has a client of its own, that never had the token."""

    def __init__(
        self, hosts: DeliveryHosts, *, max_bytes: int, pause: float = 0.5, longest: float = LONGEST
    ) -> None:
        """*longest*: seconds for one file in all, tries and pauses and storing included."""
        self._longest = longest
        self._hosts = hosts
        self._max_bytes = max_bytes
        self._pause = pause
        self._client = httpx.AsyncClient(
            headers={"User-Agent": "mediagen/0.1", "Accept-Encoding": "identity"},
            follow_redirects=False,
            verify=tls(),
            trust_env=not hosts.only_loopback,
            timeout=httpx.Timeout(30.0, connect=5.0, pool=30.0),
            event_hooks={"response": [_set_location_aside]},
            limits=httpx.Limits(max_connections=16, keepalive_expiry=10.0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[Download]:
        """The file at *url*. Raises DeliveryError, also in the midst of the chunks."""
        file = _File(url)
        clock = asyncio.timeout(self._longest)
        try:
            # A sender that trickles passes every timeout of a single read.
            async with clock, aclosing(self._whole(file)) as chunks:
                # The first answer tells the type; it is fetched before anyone reads.
                first = await anext(chunks, b"")
                yield Download(file.declared, _joined(first, chunks))
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise FileTrouble(f"not whole after {self._longest:.0f} s") from error

    async def _whole(self, file: _File) -> AsyncGenerator[bytes, None]:
        for number in range(1, _TRIES + 1):
            try:
                async with aclosing(self._rest(file)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except (_Broken, httpx.HTTPError, OSError, TimeoutError) as error:
                log.info(
                    "download.broken", attempt_at_file=number, received=file.received,
                    error=str(error) or type(error).__name__,
                )  # fmt: skip
                if number == _TRIES:
                    raise FileTrouble(str(error) or type(error).__name__) from error
            await asyncio.sleep(self._pause * 2 ** (number - 1))

    async def _rest(self, file: _File) -> AsyncGenerator[bytes, None]:
        """What is still missing of the file, in one request."""
        async with self._answer(file) as response:
            skip = _accept(file, response)
            if file.length is not None and file.length > self._max_bytes:
                raise self._too_large()
            # As it arrives: what is gathered into even chunks is lost when the connection breaks.
            async for chunk in response.aiter_raw():
                if skip:
                    skip, chunk = max(0, skip - len(chunk)), chunk[skip:]
                if not chunk:
                    continue
                file.received += len(chunk)
                if file.received > self._max_bytes:
                    raise self._too_large()
                if file.length is not None and file.received > file.length:
                    raise _Broken("longer than announced")
                file.digest.update(chunk)
                yield chunk
        _verify(file)

    @asynccontextmanager
    async def _answer(self, file: _File) -> AsyncIterator[httpx.Response]:
        """A 200 or 206, after at most three redirects, each to an allowed host."""
        url = _address(file.url)
        ranged = {}
        if file.received:
            ranged["Range"] = f"bytes={file.received}-"
            if file.etag:
                ranged["If-Range"] = file.etag
        for _ in range(_REDIRECTS + 1):
            if not self._hosts.allows(url):
                raise FileRefused("The result lies at a host that is not allowed.")
            with failpoints.around("fetch_output"):
                async with self._client.stream("GET", url, headers=ranged) as response:
                    if response.is_redirect:
                        url = _address(url, response.extensions["location"])
                        continue
                    _check_status(response.status_code)
                    yield response
                    return
        raise FileRefused("The result was redirected too often.")

    def _too_large(self) -> FileRefused:
        return FileRefused(f"The result is larger than {self._max_bytes} bytes.")


async def _set_location_aside(response: httpx.Response) -> None:
    """httpx reads a Location even if it follows none, and takes a bad one for a broken line."""
    response.extensions["location"] = response.headers.pop("location", "")


def _address(url: str, location: str = "") -> str:
    """Where *location* leads from *url*, as it will be asked for."""
    try:
        return str(httpx.URL(urljoin(url, location)))
    except (httpx.InvalidURL, ValueError) as error:
        raise FileRefused("The result lies at an address that can not be read.") from error


def _check_status(status: int) -> None:
    if status in (200, 206):
        return
    if status in _GONE:
        raise FileGone(str(status))
    raise _Broken(str(status))


def _accept(file: _File, response: httpx.Response) -> int:
    """Notes what the answer says of the file; how many bytes of it were received before."""
    headers = response.headers
    etag = headers.get("etag", "")
    partial = response.status_code == 206
    body = headers.get("content-length", "")
    total: int | None = int(body) if body.isdigit() else None
    if partial:
        at, _, whole = headers.get("content-range", "").removeprefix("bytes ").partition("/")
        if at.partition("-")[0] != str(file.received) or not whole.isdigit():
            raise _Broken("an unusable range")
        total = int(whole)
    if file.received and (etag, total) != (file.etag, file.length):
        # Another file than the one begun: what was handed on can not be taken back.
        raise FileTrouble("The file changed while it was fetched.")
    file.etag, file.length = etag, total
    file.declared = headers.get("content-type", "")
    file.md5 = _told_md5(headers)
    return 0 if partial else file.received


def _told_md5(headers: httpx.Headers) -> bytes | None:
    for each in headers.get("x-goog-hash", "").split(","):
        name, _, value = each.strip().partition("=")
        if name == "md5":
            try:
                return base64.b64decode(value)
            except ValueError:
                return None
    return None


def _verify(file: _File) -> None:
    if file.length is not None and file.received < file.length:
        raise _Broken(f"{file.received} of {file.length} bytes")
    digest = file.digest.digest()
    if file.md5 is not None and digest != file.md5:
        raise FileTrouble("The file's MD5 is not the announced one.")
    etag = _MD5_ETAG.fullmatch(file.etag)
    if etag is None or etag[1] == digest.hex():
        return
    # An ETag is an MD5 at the provider's present host by habit, not by contract: it decides only
    # where no length does.
    if file.length is None:
        raise FileTrouble("The file's MD5 is not that of its ETag.")
    log.info("download.etag_is_no_md5", etag=file.etag)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for chunk in rest:
        yield chunk
