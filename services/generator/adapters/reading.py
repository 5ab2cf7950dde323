"""How much of an answer is read? All of it up to a limit; what is larger is an error of its own.

    2xx            every byte, counted as it arrives and again as it unpacks, or AnswerTooLarge
    anything else  its beginning, for a moment: the status has said what matters
The caller's clock is over the whole call: an answer that drips does not outlast it.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import httpx

from generator.adapters.endpoint import LONGEST_PROBLEM, ProviderUnreachable

#: A prediction may hold its files as data: URIs.
LARGEST_ANSWER = 32 * 1024 * 1024
_PROBLEM_PATIENCE = 2.0
_ABOUT_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")


class AnswerTooLarge(ProviderUnreachable):
    """A 2xx whose body is larger than what is read."""


async def exchange(
    client: httpx.AsyncClient, method: str, url: str, *, most: int = LARGEST_ANSWER, **more: Any
) -> httpx.Response:
    """One request and its answer, unpacked. Raises ProviderUnreachable and what httpx raises."""
    async with client.stream(method, url, **more) as response:
        whole = response.is_success
        body = await (_whole(response, most) if whole else _beginning(response))
    body = _unpacked(body, response.headers.get("content-encoding", ""), most, whole=whole)
    told = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in _ABOUT_THE_BODY]
    return httpx.Response(response.status_code, headers=told, content=body)


async def _whole(response: httpx.Response, most: int) -> bytes:
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _too_large(most)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


async def _beginning(response: httpx.Response) -> bytes:
    """What comes of an error's body within a moment: a 402 that breaks off is still a 402."""
    body = bytearray()
    try:
        async with asyncio.timeout(_PROBLEM_PATIENCE):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) >= LONGEST_PROBLEM:
                    break
    except (httpx.HTTPError, OSError, TimeoutError):
        pass
    return bytes(body[:LONGEST_PROBLEM])


def _unpacked(body: bytes, encoding: str, most: int, *, whole: bool) -> bytes:
    """None is asked for; what something in between has packed all the same is unpacked."""
    if encoding.lower() in ("", "identity"):
        return body
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        unpacked = unpack.decompress(body, most + 1)
    except zlib.error as error:
        if not whole:
            return b""
        raise ProviderUnreachable("The answer can not be unpacked.") from error
    if len(unpacked) > most:
        raise _too_large(most)
    if whole and not unpack.eof:
        raise ProviderUnreachable("The answer is not whole.")
    return unpacked


def _too_large(most: int) -> AnswerTooLarge:
    return AnswerTooLarge(f"The answer is larger than {most} bytes.")
