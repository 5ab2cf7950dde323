"""The account's rate in Postgres: two stores and many askers at once share one bucket."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import job_pb2
from store.adapters import accounts
from store.adapters import tables as t
from store.adapters.database import CLOCK
from store.domain import rate

from .store_bench import ACCOUNT, NO_CONTEXT, Bench, failure_of, store_bench

LIMIT = 600.0
WORKERS = ("worker-a", "worker-b", "worker-c")


@pytest.fixture
async def benches(database_url: str) -> AsyncIterator[list[Bench]]:
    """Two stores on one database, with ten creates a second."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield [await enter(store_bench(database_url, creates_per_minute=LIMIT)) for _ in range(2)]


async def claimed(bench: Bench, worker: str, number: int) -> tuple[str, int]:
    """A job that *worker* holds, and its fence."""
    job = await bench.submit(f"{worker} {number}")
    return job.job_id, (await bench.claim(job.job_id, worker=worker)).lease_epoch


async def permit(bench: Bench, job_id: str, epoch: int) -> tuple[float, int]:
    """Asks until the job has its permit, when told to. The time of it, and how often it asked."""
    for asked in range(1, 1000):
        answer = await bench.begin(job_id, epoch, token=f"token of {job_id}")
        if not answer.refusal:
            return time.monotonic(), asked
        assert answer.refusal == lb.REFUSAL_REASON_RATE
        await asyncio.sleep(answer.retry_after.ToTimedelta().total_seconds())
    raise AssertionError("no permit")


async def bucket(bench: Bench) -> tuple[rate.Bucket, int, float]:
    """The account's bucket, how often it was throttled, and its rate now."""
    query = sa.select(t.accounts, CLOCK.label("now")).where(t.accounts.c.account == ACCOUNT)
    async with bench.database.single() as connection:
        row = (await connection.execute(query)).one()
    found = accounts.bucket_of(row)
    return found, row.throttled_count, rate.current(found, LIMIT, row.now)


async def refused(bench: Bench, job_id: str, retry_after: float) -> None:
    """The provider answered 429 to the job's call."""
    failure = failure_of(lb.FAILURE_KIND_RATE)
    failure.retry_after.FromTimedelta(timedelta(seconds=retry_after))
    request = lb.RecordNotCreatedRequest(submit_token=bench.tokens[job_id], failure=failure)
    await bench.ledger.RecordNotCreated(request, NO_CONTEXT)


async def pass_time(bench: Bench, seconds: float) -> None:
    """Everything about the account was *seconds* earlier."""
    names = ("refill_time", "throttle_time", "hold_until")
    shift = timedelta(seconds=seconds)
    change = sa.update(t.accounts).values({name: t.accounts.c[name] - shift for name in names})
    async with bench.database.transaction() as connection:
        await connection.execute(change)


async def test_two_stores_and_three_workers_take_no_more_than_there_is(
    benches: list[Bench],
) -> None:
    """Each has the burst once, then what flows in; every worker has its share of that."""
    jobs = {
        worker: [await claimed(benches[0], worker, number) for number in range(12)]
        for worker in WORKERS
    }
    times: list[float] = []
    shares: Counter[str] = Counter()
    asked = 0
    begin = time.monotonic()

    async def work(number: int, worker: str) -> None:
        nonlocal asked
        for job_id, epoch in jobs[worker]:
            moment, often = await permit(benches[number % 2], job_id, epoch)
            times.append(moment)
            asked += often
            if len(times) <= 24:
                shares[worker] += 1

    async with asyncio.TaskGroup() as group:
        for number, worker in enumerate(WORKERS):
            group.create_task(work(number, worker))
    for number, moment in enumerate(sorted(times), 1):
        assert number <= 10 + (moment - begin) * LIMIT / 60
    assert min(shares[worker] for worker in WORKERS) >= 4, shares
    assert asked <= 3 * len(times)


async def test_askers_at_the_same_instant_share_one_token(database_url: str) -> None:
    """Twelve at once, through two stores, where 6 a minute may go: one does, and each of the others
    is told a turn of its own."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        stores = [await enter(store_bench(database_url, creates_per_minute=6.0)) for _ in range(2)]
        jobs = [await claimed(stores[0], f"worker-{number}", number) for number in range(12)]
        begin = time.monotonic()
        answers = await asyncio.gather(
            *(stores[number % 2].begin(*job) for number, job in enumerate(jobs))
        )
        took = time.monotonic() - begin
    given = [answer for answer in answers if not answer.refusal]
    assert 1 <= len(given) <= 1 + took / 10
    turns = sorted(
        answer.retry_after.ToTimedelta().total_seconds() for answer in answers if answer.refusal
    )
    assert all(after - before > 10 - took for before, after in itertools.pairwise(turns))
    assert turns[-1] > 10 * len(turns) - took


async def test_a_429_holds_all_workers_then_halves_the_rate_until_it_is_back(
    benches: list[Bench],
) -> None:
    """Whichever store heard of it; and what was under way with it counts once."""
    one, other = benches
    first, second = [await claimed(one, worker, 1) for worker in WORKERS[:2]]
    for job in (first, second):
        assert not (await one.begin(*job)).refusal
    await refused(one, first[0], 5)
    await refused(one, second[0], 7)
    job_id, epoch = await claimed(other, WORKERS[2], 1)
    answer = await other.begin(job_id, epoch)
    assert answer.refusal == lb.REFUSAL_REASON_RATE
    assert 5 < answer.retry_after.ToTimedelta().total_seconds() <= 7.1
    left, throttled, now = await bucket(other)
    assert (left.rate, throttled, now) == (300.0, 2, 300.0)
    await pass_time(one, 7)
    assert not (await other.begin(job_id, epoch)).refusal
    await pass_time(one, 30)
    assert 400 < (await bucket(one))[2] < 590
    await pass_time(one, 15)
    assert (await bucket(one))[2] == LIMIT
    job_id, epoch = await claimed(one, WORKERS[0], 2)
    assert not (await one.begin(job_id, epoch)).refusal
    assert (await bucket(one))[0].rate is None


async def test_the_rate_outlives_the_stores(database_url: str) -> None:
    """What a store that is gone took is taken, and what it was told holds."""
    async with store_bench(database_url, creates_per_minute=6.0) as bench:
        job = await claimed(bench, "worker-a", 1)
        assert not (await bench.begin(*job)).refusal
        await refused(bench, job[0], 30)
    async with store_bench(database_url, creates_per_minute=6.0) as bench:
        answer = await bench.begin(*await claimed(bench, "worker-b", 1))
        assert answer.refusal == lb.REFUSAL_REASON_RATE
        assert answer.retry_after.ToTimedelta().total_seconds() > 20


async def test_a_job_that_is_to_end_needs_no_token(benches: list[Bench]) -> None:
    """It ends at once, however long it would have to wait."""
    bench = benches[0]
    job = await claimed(bench, "worker-a", 1)
    assert not (await bench.begin(*job)).refusal
    await refused(bench, job[0], 60)
    waits = await claimed(bench, "worker-a", 2)
    assert (await bench.begin(*waits)).refusal == lb.REFUSAL_REASON_RATE
    assert (await bench.cancel(waits[0])).state == job_pb2.Job.STATE_CANCELED
