"""Answers of the provider's API that are too large, too slow, broken or not the provider's at all.

What the jobs make of them is in tests/e2e/test_hostile_provider.py; here is how little of them is
read, and for how long.
"""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest

from generator.adapters import provider as provider_module
from generator.adapters.endpoint import ProviderError, ProviderRefused, ProviderUnreachable
from generator.adapters.provider import Provider
from generator.adapters.reading import LARGEST_ANSWER, AnswerTooLarge, exchange
from generator.worker.reconciler import look_once
from tests.fakes.generator_bench import FLUX, TOKEN, Rig, generator_rig

LIMIT = 100_000
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server that answers every request so, and its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read(answer: Answer) -> httpx.Response:
    """What is read of the answer to a GET."""
    async with answering(answer) as url, httpx.AsyncClient(trust_env=False, timeout=5) as client:
        return await exchange(client, "GET", url, most=LIMIT)


def whole(status: int, body: bytes, *more: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        head = [b"HTTP/1.1 %d X" % status, b"content-length: %d" % len(body), *more]
        writer.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


def endless(status: int, piece: bytes = b"x" * 65536, pause: float = 0.0) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d X\r\n\r\n" % status)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def broken(status: int, body: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 9999\r\n\r\n" % status + body)
        await writer.drain()

    return answer


async def test_an_answer_up_to_the_limit_is_read_whole() -> None:
    """And one byte more is an error of its own, whether it was announced or not."""
    assert (await read(whole(200, b"x" * LIMIT))).content == b"x" * LIMIT
    with pytest.raises(AnswerTooLarge):
        await read(whole(200, b"x" * (LIMIT + 1)))


async def test_an_answer_without_end_is_left_at_the_limit() -> None:
    """What it takes of memory is bounded too."""
    tracemalloc.start()
    with pytest.raises(AnswerTooLarge):
        await read(endless(200))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * LIMIT


async def test_packed_bytes_count_unpacked() -> None:
    """No packing was asked for; a packed answer is read all the same, within the limit."""
    packed = b"content-encoding: gzip"
    answer = await read(whole(200, gzip.compress(b"x" * LIMIT), packed))
    assert answer.content == b"x" * LIMIT
    with pytest.raises(AnswerTooLarge):
        await read(whole(200, gzip.compress(b"x" * 50_000_000), packed))


@pytest.mark.parametrize(
    "body", [b"not packed at all", gzip.compress(b"x" * 1000)[:-5]], ids=["nonsense", "cut"]
)
async def test_what_can_not_be_unpacked_is_no_answer(body: bytes) -> None:
    """Half of a text is not taken for the whole."""
    with pytest.raises(ProviderUnreachable):
        await read(whole(200, body, b"content-encoding: gzip"))


async def test_an_errors_status_decides_whatever_its_body_does() -> None:
    """Endless, dripping, broken off, badly packed: a 402 is a 402."""
    began = time.monotonic()
    for answer in (
        endless(402), endless(402, b"x", pause=0.5), broken(402, b'{"detail": "no'),
        whole(402, b"nonsense", b"content-encoding: gzip"),
    ):  # fmt: skip
        response = await read(answer)
        assert response.status_code == 402
        assert len(response.content) <= 64 * 1024
    assert time.monotonic() - began < 10


async def test_one_clock_is_over_the_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that drips passes every timeout of a single read."""
    monkeypatch.setattr(provider_module, "_TIMEOUT", 0.3)
    began = time.monotonic()
    async with answering(endless(200, b" ", pause=0.05)) as url, Provider(url, TOKEN) as provider:
        with pytest.raises(ProviderUnreachable):
            await provider.prediction("abc")
    assert time.monotonic() - began < 5


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


@pytest.mark.parametrize(
    ("fault", "arg", "count"),
    [
        ("drop", None, 3), ("html_502", None, 3), ("500", None, 3), ("status", "408", 3),
        ("429_with_retry_after", "1", 3), ("401", None, 1), ("402", None, 1), ("status", "403", 1),
        ("cut_answer", None, 1), ("broken_answer", None, 3), ("html_answer", None, 1),
        ("no_id_answer", None, 1), ("packed_answer", "1000000", 1),
        ("redirect", "http://foreign.invalid/x", 1),
        ("foreign_next", "http://foreign.invalid/x", 1),
    ],
)  # fmt: skip
async def test_a_list_that_can_not_be_read_proves_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, fault: str, arg: str | None, count: int
) -> None:
    """No scan is reported; the next one, which can be read, finds the lost call."""
    monkeypatch.setattr(provider_module, "_LARGEST_PAGE", LIMIT)
    monkeypatch.setattr(provider_module.random, "uniform", lambda low, high: 0.01)  # type: ignore[attr-defined]
    rig.sim.set_fault("drop_after_create", count=1)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    rig.ledger.lose(job.attempts[0])
    rule = rig.sim.set_fault(fault, arg, on="list", count=count)
    with pytest.raises(ProviderError):
        await look_once(rig.parts)
    assert rig.ledger.scans == []
    assert rule.taken == count
    assert await look_once(rig.parts) == 1
    (evidence,) = rig.ledger.scans[-1].evidence
    assert len(evidence.strong_prediction_ids) == 1


async def test_a_list_keeps_no_outputs(rig: Rig) -> None:
    """An hour of predictions with data: URIs would not fit into memory."""
    rig.sim.set_fault("output_data_uri")
    await rig.run(rig.ledger.add("j1", FLUX, "a cat"))
    listing = await rig.parts.provider.listing(datetime(2020, 1, 1, tzinfo=UTC))
    (only,) = listing.predictions
    assert (only.output, only.logs) == (None, "")
    assert only.input


@pytest.mark.parametrize("fault", ["giant_answer", "packed_answer"])
async def test_a_giant_answer_to_a_create_is_ambiguous(rig: Rig, fault: str) -> None:
    """It was made, and its id was not read."""
    rig.sim.set_fault(fault, LARGEST_ANSWER, count=1)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.attempts[0].state == "UNKNOWN"
    assert rig.creates() == 1


async def test_a_refusal_that_drips_is_still_definite(rig: Rig) -> None:
    """Its status came: nothing was made, and nothing has to be looked up."""
    async with answering(endless(422, b"x", pause=0.5)) as url, Provider(url, TOKEN) as provider:
        with pytest.raises(ProviderRefused) as caught:
            await provider.prediction("abc")
    assert caught.value.problem.status == 422
