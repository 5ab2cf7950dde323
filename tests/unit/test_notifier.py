"""What does a post come to, and whose turn is it?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from notifier.domain import outcome
from notifier.domain.outcome import LONGEST_RETRY_AFTER, answered, retry_after
from notifier.worker.turns import LONGEST_PAUSE, SHORTEST_PAUSE, HostBusy, Turns

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_takes_it(status: int) -> None:
    found = answered(status, [(b"retry-after", b"60")], NOW)
    assert found.taken and found.status == status
    assert (found.message, found.retry_after) == ("", None)


@pytest.mark.parametrize("status", [101, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503, 999])
def test_anything_else_does_not(status: int) -> None:
    """With its status in the words, and nothing else of the answer."""
    found = answered(status, [(b"Retry-After", b"60"), (b"location", b"http://10.0.0.1/")], NOW)
    assert found.error == pb.DELIVERY_ERROR_STATUS
    assert found.status == status and str(status) in found.message
    assert found.retry_after == 60
    assert "10.0.0.1" not in found.message
    assert ("Redirects" in found.message) == (300 <= status < 400)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 12:01:00", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999999", LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        ("١٢", None),
    ],
)
def test_retry_after_is_read_in_both_of_its_forms(told: str, seconds: float | None) -> None:
    """Bounded by the longest that a delivery lives; what can not be read says nothing."""
    assert retry_after(told, NOW) == seconds


@settings(deadline=None)
@given(st.text())
def test_any_retry_after_is_read(told: str) -> None:
    found = retry_after(told, NOW)
    assert found is None or 0 <= found <= LONGEST_RETRY_AFTER


def test_only_what_was_taken_has_no_error() -> None:
    for each in (
        outcome.timed_out(15), outcome.unconnected("a"), outcome.untrusted("b"),
        outcome.forbidden("c"), outcome.not_sent("d"),
    ):  # fmt: skip
        assert not each.taken and each.message and not each.status


async def test_a_few_at_a_time_for_each_host() -> None:
    """As many again wait, and the rest are told at once; another host's turn is another matter."""
    turns, go, posted = Turns(2, patience=5), asyncio.Event(), list[str]()

    async def post(host: str) -> None:
        async with turns.turn(host):
            posted.append(host)
            await go.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(post("slow.example"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert posted == ["slow.example"] * 2
        with pytest.raises(HostBusy):
            await post("slow.example")
        group.create_task(post("quick.example"))
        await asyncio.sleep(0)
        assert posted[-1] == "quick.example"
        go.set()
    assert posted.count("slow.example") == 4


async def test_who_is_sent_away_comes_again_later_and_later() -> None:
    """The more there are; and sooner again once the host answers."""
    turns = Turns(1, patience=0)
    pauses = list[float]()

    async def refused() -> None:
        with pytest.raises(HostBusy) as busy:
            async with turns.turn("a.example"):
                pass
        pauses.append(busy.value.pause)

    async with turns.turn("a.example"):
        for _ in range(600):
            await refused()
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (SHORTEST_PAUSE, LONGEST_PAUSE)
    async with turns.turn("a.example"):
        await refused()
    assert pauses[-1] == SHORTEST_PAUSE


async def test_nobody_waits_for_long() -> None:
    """A slot is not for waiting; a place is free again whatever became of who had it."""
    turns = Turns(1, patience=0.01)
    async with turns.turn("a.example"):
        with pytest.raises(HostBusy):
            async with turns.turn("a.example"):
                pass
    with pytest.raises(ZeroDivisionError):
        async with turns.turn("a.example"):
            raise ZeroDivisionError
    async with turns.turn("a.example"):
        pass
    assert turns._lines == {}
