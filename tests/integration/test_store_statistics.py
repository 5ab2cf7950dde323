"""How did it go in the last while? Counted by step, by model and by reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from itertools import pairwise
from typing import Any

import pytest

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import failure_pb2
from mediagen.v1 import operator_service_pb2 as pb
from store.adapters import statistics
from store.adapters.database import Unavailable
from store.adapters.statistics import Statistics

from .operator_bench import Desk, desk_at
from .store_bench import NO_CONTEXT

MINUTE = 60.0


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_at(database_url) as desk:
        yield desk


async def counted(desk: Desk, minutes: int = 60, steps: int = 6) -> pb.GetStatisticsResponse:
    """Counted anew."""
    return await Statistics(desk.bench.database).of(timedelta(minutes=minutes), steps)


async def _completed(desk: Desk, **request: Any) -> str:
    job_id, epoch = await desk.bench.submitted(**request)
    await desk.bench.succeeded(job_id)
    await desk.bench.complete(job_id, epoch)
    return job_id


async def test_nothing_is_counted_where_nothing_was(desk: Desk) -> None:
    """Every step is there, with its time."""
    told = await counted(desk)
    assert len(told.steps) == 6
    starts = [each.start_time.ToDatetime(tzinfo=UTC) for each in told.steps]
    assert {after - before for before, after in pairwise(starts)} == {timedelta(minutes=10)}
    assert told.as_of.ToDatetime(tzinfo=UTC) - starts[-1] == told.step.ToTimedelta()
    assert not any(each.submitted or each.unfinished for each in told.steps)
    assert not told.steps[0].HasField("wait")
    assert not told.models


async def test_each_job_is_counted_where_it_was_submitted_and_where_it_ended(desk: Desk) -> None:
    """By its end; what began before the window is counted too, and is unfinished until then."""
    old = await _completed(desk)
    await desk.bench.pass_time(old, 25 * MINUTE)
    canceled = (await desk.bench.submit()).job_id
    await desk.bench.cancel(canceled)
    await desk.bench.pass_time(canceled, 15 * MINUTE)
    await desk.died()
    long_ago = await _completed(desk)
    await desk.bench.pass_time(long_ago, 61 * MINUTE)
    await desk.bench.submit()
    running, _ = await desk.bench.submitted()
    await desk.run(
        f"UPDATE jobs SET create_time = create_time - interval '2 hours' WHERE job_id = '{running}'"
    )
    told = (await counted(desk)).steps
    names = ("submitted", "completed", "failed", "canceled", "calls", "unfinished")
    table = [tuple(getattr(each, name) for name in names) for each in told]
    assert table == [
        (0, 0, 0, 0, 0, 1),
        (0, 0, 0, 0, 0, 1),
        (0, 0, 0, 0, 0, 1),
        (1, 1, 0, 0, 1, 1),
        (1, 0, 0, 1, 0, 1),
        (2, 0, 1, 0, 2, 2),
    ]


async def test_times_are_those_of_many_jobs(desk: Desk) -> None:
    """How long they waited to be taken first, and how long they took in all."""
    for number in range(1, 11):
        job_id = await _completed(desk)
        await desk.run(
            f"""
            UPDATE jobs SET create_time = end_time - interval '{number} seconds',
                start_time = end_time - interval '{number * 500} milliseconds'
            WHERE job_id = '{job_id}'
            """
        )
    told = await counted(desk)
    total, wait = told.steps[-1].total, told.steps[-1].wait
    assert (total.p50_seconds, total.p90_seconds) == pytest.approx((5.5, 9.1))
    assert total.p99_seconds == pytest.approx(9.91)
    assert wait.p50_seconds == pytest.approx(2.75)
    assert told.models[0].total == total


async def test_models_and_reasons_are_those_with_the_most_jobs(desk: Desk) -> None:
    """At most twenty of each; what was canceled is neither."""
    for _ in range(2):
        await _completed(desk, model="a/often")
    await desk.died(model="a/failing")
    await desk.bench.cancel((await desk.bench.submit(model="a/canceled")).job_id)
    for number in range(19):
        await _completed(desk, model=f"b/m{number:02}")
    told = await counted(desk)
    shown = [(each.model, each.completed, each.failed) for each in told.models]
    assert shown[:2] == [("a/often", 2, 0), ("a/failing", 0, 1)]
    assert len(shown) == 20
    assert not told.models[1].HasField("total")
    [failure] = told.failures
    assert failure.reason == failure_pb2.FAILURE_REASON_PROVIDER_FAILED
    assert failure.jobs == 1


async def test_every_tenant_is_counted(desk: Desk) -> None:
    """An operator sees all of them."""
    for tenant in ("a", "z", "default-2"):
        await desk.submit_for(tenant)
    assert (await counted(desk)).steps[-1].failed == 3


async def test_what_was_counted_is_told_for_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those who ask at once wait for one count."""
    reader = Statistics(desk.bench.database)
    hour = timedelta(hours=1)
    first, second = await asyncio.gather(reader.of(hour, 6), reader.of(hour, 6))
    assert first is second
    await desk.bench.submit()
    assert await reader.of(hour, 6) is first
    assert (await reader.of(hour, 7)).steps[-1].submitted == 1
    monkeypatch.setattr(statistics, "MOST_WINDOWS", 2)
    await reader.of(hour, 8)
    assert (await reader.of(hour, 6)).steps[-1].submitted == 1


async def test_only_so_many_windows_wait_to_be_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked for, and whoever still waits for it; those who come later ask again."""
    monkeypatch.setattr(statistics, "MOST_COUNTED", 2)
    reader = Statistics(desk.bench.database)
    hour = timedelta(hours=1)
    waiting = [asyncio.create_task(reader.of(hour, steps)) for steps in (6, 7, 6)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await reader.of(hour, 8)
    await asyncio.gather(*waiting)
    assert len((await reader.of(hour, 8)).steps) == 8


async def test_the_window_and_the_steps_have_defaults(desk: Desk) -> None:
    """An hour in sixty steps."""
    told = await desk.operator.GetStatistics(pb.GetStatisticsRequest(), NO_CONTEXT)
    assert len(told.steps) == 60
    assert told.step.ToTimedelta() == timedelta(minutes=1)
    request = pb.GetStatisticsRequest(steps=5)
    request.window.FromSeconds(1)
    told = await desk.operator.GetStatistics(request, NO_CONTEXT)
    assert told.step.ToTimedelta() * 5 == timedelta(minutes=5)


async def test_a_retry_is_a_call_of_its_own(desk: Desk) -> None:
    """Calls are counted as they were permitted, not as jobs."""
    job_id, _ = await desk.bench.submitted()
    await desk.bench.ended(job_id, lb.FAILURE_KIND_TRANSIENT)
    claimed = await desk.bench.claim(job_id)
    await desk.bench.begin(job_id, claimed.lease_epoch)
    step = (await counted(desk)).steps[-1]
    assert (step.submitted, step.calls, step.unfinished) == (1, 2, 1)
