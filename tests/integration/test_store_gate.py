"""The gate that a 401 or 402 shuts: one call at a time asks whether the account works again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1.job_pb2 import Job
from store.adapters import tables as t
from store.adapters.database import CLOCK
from store.adapters.overview import read_counts
from tests.integration.store_bench import Bench, store_bench

SHUT = lb.REFUSAL_REASON_PROVIDER_SHUT
ACCOUNT_REFUSED = lb.FAILURE_KIND_ACCOUNT


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as running:
        yield running


async def claimed(bench: Bench, count: int) -> list[tuple[str, int]]:
    """Jobs that workers hold, with their epochs."""
    jobs = [await bench.submit(f"a red fox, number {number}") for number in range(count)]
    return [(job.job_id, (await bench.claim(job.job_id)).lease_epoch) for job in jobs]


async def shut(bench: Bench) -> None:
    """A job's call has been refused by a 402."""
    [(job_id, epoch)] = await claimed(bench, 1)
    await bench.begin(job_id, epoch)
    await bench.not_created(job_id, ACCOUNT_REFUSED)


async def gate(bench: Bench) -> Any:
    """The account's row, and the seconds that it stays shut."""
    accounts = t.accounts.c
    left = sa.func.extract("epoch", accounts.shut_until - CLOCK).label("left")
    async with bench.database.single() as connection:
        query = sa.select(accounts.shut_count, accounts.shut_reason, left)
        return (await connection.execute(query)).one()


async def pass_pause(bench: Bench) -> None:
    """The pause, or the wait for a probe, was over a moment ago."""
    over = sa.update(t.accounts).values(shut_until=CLOCK - timedelta(milliseconds=1))
    async with bench.database.transaction() as connection:
        await connection.execute(over)


async def admitted(bench: Bench) -> int:
    """How many jobs have a dispatch after a turn of the admitter."""
    await bench.admitter.turn()
    count = sa.select(sa.func.count()).select_from(t.dispatches)
    async with bench.database.single() as connection:
        return int((await connection.execute(count)).scalar_one())


async def healthy(bench: Bench) -> bool:
    """Whether health calls the provider serving."""
    async with bench.database.single() as connection:
        return (await read_counts(connection)).shut is None


async def refusal(bench: Bench, job: tuple[str, int]) -> int:
    """Why the job gets no permit; 0 if it gets one."""
    return (await bench.begin(*job)).refusal


async def test_after_the_pause_one_call_is_let_through(bench: Bench) -> None:
    """The others are refused until it has been answered; none of them is harmed."""
    probe, other = await claimed(bench, 2)
    await shut(bench)
    await pass_pause(bench)
    assert await refusal(bench, probe) == 0
    assert await refusal(bench, other) == SHUT
    found = await bench.job(other[0])
    assert (found.state, len(found.attempts)) == (Job.STATE_PENDING, 0)
    assert not await healthy(bench)


async def test_one_job_at_a_time_is_admitted_while_the_account_is_asked(bench: Bench) -> None:
    """The others wait in line, and do not come and go."""
    await shut(bench)
    for number in range(5):
        await bench.submit(f"another {number}")
    assert await admitted(bench) == 0
    await pass_pause(bench)
    assert await admitted(bench) == 1
    assert await admitted(bench) == 1


async def test_a_call_that_is_taken_opens_the_gate_for_all(bench: Bench) -> None:
    """By itself: nobody has to tell."""
    [probe] = await claimed(bench, 1)
    await shut(bench)
    for number in range(3):
        await bench.submit(f"another {number}")
    await pass_pause(bench)
    await bench.begin(*probe)
    await bench.record(probe[0])
    assert (await gate(bench))[:2] == (0, None)
    assert await healthy(bench)
    assert await admitted(bench) == 4


async def test_each_refusal_that_follows_doubles_the_pause(bench: Bench) -> None:
    """30 s, a minute, two, at most ten; the answers of calls under way together count once."""
    probes = await claimed(bench, 8)
    first, second = await claimed(bench, 2)
    for job in (first, second):
        await bench.begin(*job)
    for job in (first, second):
        await bench.not_created(job[0], ACCOUNT_REFUSED)
    pauses = []
    for probe in probes:
        state = await gate(bench)
        pauses.append(round(float(state.left) / 30))
        await pass_pause(bench)
        assert await refusal(bench, probe) == 0
        await bench.not_created(probe[0], ACCOUNT_REFUSED)
    assert pauses == [1, 2, 4, 8, 16, 20, 20, 20]


async def test_a_success_from_before_does_not_open_the_gate(bench: Bench) -> None:
    """It was permitted while the account worked."""
    [early] = await claimed(bench, 1)
    await bench.begin(*early)
    await shut(bench)
    await bench.record(early[0])
    assert (await gate(bench)).shut_count == 1
    assert not await healthy(bench)


@pytest.mark.parametrize("kind", [lb.FAILURE_KIND_PERMANENT, lb.FAILURE_KIND_NOT_SENT])
async def test_a_probe_that_says_nothing_makes_room_for_the_next(bench: Bench, kind: int) -> None:
    """Inputs that were refused, a call that was not sent: the next job asks at once."""
    probe, following = await claimed(bench, 2)
    await shut(bench)
    await pass_pause(bench)
    assert await refusal(bench, probe) == 0
    await bench.not_created(probe[0], kind)  # type: ignore[arg-type]
    assert await refusal(bench, following) == 0
    assert (await gate(bench)).shut_count == 1


async def test_a_probe_that_is_never_heard_of_makes_room_in_time(bench: Bench) -> None:
    """Its worker died. A late refusal of it does not count for the one after it."""
    probe, following = await claimed(bench, 2)
    await shut(bench)
    await pass_pause(bench)
    await bench.begin(*probe)
    assert 60 < float((await gate(bench)).left) <= 80
    await pass_pause(bench)
    assert await refusal(bench, following) == 0
    await bench.not_created(probe[0], ACCOUNT_REFUSED)
    assert (await gate(bench)).shut_count == 1
    await bench.record(following[0])
    assert (await gate(bench)).shut_count == 0


async def test_an_account_that_is_used_no_more_holds_nobody_up(bench: Bench) -> None:
    """Its token was replaced by that of another account, which works."""
    other = {"account": "revoked", "shut_count": 3, "shut_until": CLOCK, "shut_reason": "401"}
    async with bench.database.transaction() as connection:
        row = sa.insert(t.accounts).values(tokens=1, refill_time=CLOCK, **other)
        await connection.execute(row)
    assert not await healthy(bench)
    await bench.submitted()
    assert await healthy(bench)
