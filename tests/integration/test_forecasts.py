"""What the store tells about when jobs may be taken and done, from a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.database import CLOCK
from store.adapters.forecasts import Forecasts
from store.adapters.recent_runs import RecentRuns
from store.adapters.submissions import insert_job, new_job

from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench

MODEL = "owner/model"


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def told(bench: Bench, tenant: str = TENANT, limit: float = 0.0) -> dict[str, Any]:
    """What a store that has just been started tells, in its order."""
    found = await Forecasts(bench.database, limit, RecentRuns()).of_tenant(tenant)
    return {each.job_id: each.forecast for each in found}


async def ran(bench: Bench, seconds: float, *, days_ago: float = 0.0) -> str:
    """A job of MODEL that is done, and ran so long."""
    job_id, epoch = await bench.submitted()
    await bench.pass_time(job_id, seconds)
    await bench.succeeded(job_id)
    await bench.complete(job_id, epoch)
    if days_ago:
        await bench.pass_time(job_id, days_ago * 86_400)
    return job_id


async def works(bench: Bench, slots: int) -> None:
    """A worker is there."""
    beat = lb.HeartbeatRequest(worker_id="worker-1", slots=slots)
    await bench.ledger.Heartbeat(beat, NO_CONTEXT)


def seconds(forecast: job_pb2.Forecast, name: str) -> float:
    """From when it was made until the time called *name*."""
    moment: datetime = getattr(forecast, name).ToDatetime(tzinfo=UTC)
    return (moment - forecast.as_of.ToDatetime(tzinfo=UTC)).total_seconds()


async def test_the_line_is_told_in_its_order(bench: Bench) -> None:
    """A better priority comes before what was there first; runs are counted, and not enough."""
    await works(bench, 1)
    await ran(bench, 10)
    first = await bench.submit()
    second = await bench.submit()
    urgent = await bench.submit(priority=job_pb2.PRIORITY_HIGH)
    running, _ = await bench.submitted(priority=job_pb2.PRIORITY_HIGH)
    found = await told(bench)
    assert list(found) == [urgent.job_id, first.job_id, second.job_id, running]
    waiting = list(found.values())[:3]
    assert [each.jobs_ahead for each in waiting] == [0, 1, 2]
    assert all(each.HasField("as_of") for each in found.values())
    assert all(each.runs_counted == 1 for each in found.values())
    assert not any(each.HasField("start_time_p50") for each in found.values())
    assert not any(each.HasField("end_time_p50") for each in found.values())
    assert not found[running].HasField("jobs_ahead")


async def test_runs_are_counted_from_the_paid_call_to_the_end(bench: Bench) -> None:
    """Two slots, one of them busy for four of ten seconds: the second in the line waits for it."""
    await works(bench, 2)
    for _ in range(5):
        await ran(bench, 10)
    running, _ = await bench.submitted()
    await bench.pass_time(running, 4)
    first, second, third = [(await bench.submit()).job_id for _ in range(3)]
    found = await told(bench)
    assert found[running].runs_counted == 5
    assert 5 < seconds(found[running], "end_time_p50") < 7
    assert seconds(found[first], "start_time_p50") < 1
    assert 10 < seconds(found[first], "end_time_p50") < 12
    assert 5 < seconds(found[second], "start_time_p50") < 7
    assert 9 < seconds(found[third], "start_time_p50") < 12
    assert seconds(found[third], "start_time_p90") >= seconds(found[third], "start_time_p50")


async def test_without_workers_or_with_the_account_shut_no_start_is_told(bench: Bench) -> None:
    """Nobody knows then; how many are ahead is known."""
    for _ in range(5):
        await ran(bench, 10)
    waiting = (await bench.submit()).job_id
    alone = (await told(bench))[waiting]
    await works(bench, 1)
    async with bench.database.transaction() as connection:
        shut = {"shut_until": CLOCK + timedelta(minutes=1), "shut_count": 1}
        await connection.execute(sa.update(t.accounts).values(**shut))
    for forecast in (alone, (await told(bench))[waiting]):
        assert (forecast.jobs_ahead, forecast.runs_counted) == (0, 5)
        assert not forecast.HasField("start_time_p50")
        assert not forecast.HasField("end_time_p50")
    async with bench.database.transaction() as connection:
        await connection.execute(sa.update(t.accounts).values(shut_until=None, shut_count=0))
    assert (await told(bench))[waiting].HasField("start_time_p50")


async def test_the_accounts_rate_is_waited_for(bench: Bench) -> None:
    """Six creates a minute and many slots: one behind another, ten seconds apart, to the end."""
    await works(bench, 50)
    for _ in range(5):
        await ran(bench, 3)
    waiting = [(await bench.submit()).job_id for _ in range(4)]
    found = await told(bench, limit=6.0)
    ends = [seconds(found[job_id], "end_time_p50") for job_id in waiting]
    gaps = [later - sooner for sooner, later in pairwise(ends)]
    assert all(9.5 < gap < 10.5 for gap in gaps), ends
    assert seconds(found[waiting[-1]], "start_time_p50") < 1, "it waits in a slot"


async def test_a_retry_is_in_the_line_once_it_is_due(bench: Bench) -> None:
    """Until then it is not counted, is not told a place, and is not taken before its time."""
    await works(bench, 1)
    for _ in range(5):
        await ran(bench, 1)
    retrying, _ = await bench.submitted()
    await bench.ended(retrying, lb.FAILURE_KIND_TRANSIENT)
    waiting = (await bench.submit()).job_id
    found = await told(bench)
    assert list(found) == [waiting, retrying]
    assert found[waiting].jobs_ahead == 0
    assert not found[retrying].HasField("jobs_ahead")
    assert seconds(found[retrying], "start_time_p50") > 1
    await bench.pass_time(retrying, 60)
    found = await told(bench)
    assert [each.jobs_ahead for each in found.values()] == [0, 1]
    assert list(found) == [retrying, waiting]


async def test_other_tenants_are_counted_and_not_named(bench: Bench) -> None:
    """All share the workers; whose jobs are ahead is nobody's business."""
    asked = job_pb2.JobRequest(model=MODEL, prompt="a secret")
    asked.timeout.FromSeconds(600)
    other = new_job("other", asked, bench.database.now())
    async with bench.database.transaction() as connection:
        await insert_job(connection, other, asked)
    mine = (await bench.submit()).job_id
    assert {job_id: each.jobs_ahead for job_id, each in (await told(bench)).items()} == {mine: 1}
    assert list(await told(bench, "other")) == [str(other.job_id)]
    assert await told(bench, "nobody") == {}


async def test_a_hundred_runs_of_seven_days_are_counted(bench: Bench) -> None:
    """The newest of them; what is older says nothing about today."""
    await works(bench, 1)
    done = await ran(bench, 5)
    await ran(bench, 900, days_ago=8)
    waiting = (await bench.submit()).job_id
    assert (await told(bench))[waiting].runs_counted == 1
    await _copy_runs(bench, done, 120, seconds=20)
    forecast = (await told(bench))[waiting]
    assert forecast.runs_counted == 100
    assert seconds(forecast, "end_time_p90") > 15, "the newest are not those of five seconds"


async def test_each_model_goes_by_its_own_runs(bench: Bench) -> None:
    """Those of another say nothing of it."""
    await works(bench, 1)
    for _ in range(5):
        await ran(bench, 10)
    other = (await bench.submit(model="owner/other")).job_id
    same = (await bench.submit()).job_id
    found = await told(bench)
    assert (found[same].runs_counted, found[other].runs_counted) == (5, 0)
    assert not found[other].HasField("end_time_p50")


async def _copy_runs(bench: Bench, done: str, count: int, *, seconds: float) -> None:
    """So many more jobs like the one that is *done*, each with a run of so long that just ended."""
    async with bench.database.transaction() as connection:
        now = (await connection.execute(sa.select(CLOCK))).scalar_one()
        changed: dict[sa.Table, dict[str, Any]] = {
            t.jobs: {"end_time": now},
            t.attempts: {"create_time": now - timedelta(seconds=seconds)},
            t.events: {},
        }
        for table, values in changed.items():
            of_job = sa.select(table).where(table.c.job_id == UUID(done))
            rows = (await connection.execute(of_job)).mappings().all()
            copies = [
                {**row, **values, "job_id": UUID(int=number)} | _own(table, number)
                for row in rows
                for number in range(1, count + 1)
            ]
            made_anew = {"event_id", "sequence"}
            kept = [{k: v for k, v in row.items() if k not in made_anew} for row in copies]
            await connection.execute(sa.insert(table), kept)


def _own(table: sa.Table, number: int) -> dict[str, str]:
    """What no two rows may share."""
    if table is not t.attempts:
        return {}
    return {"submit_token": f"copy {number}", "prediction_id": f"copy {number}"}


async def test_jobs_are_read_with_their_forecast(bench: Bench) -> None:
    """By GetJob, ListJobs and where a watch begins; and only while the job is not final."""
    await works(bench, 1)
    for _ in range(5):
        await ran(bench, 10)
    running, _ = await bench.submitted()
    first = (await bench.submit()).job_id
    await bench.job(first)
    later = (await bench.submit()).job_id  # behind what was read for the one before
    assert (await bench.job(first)).forecast.jobs_ahead == 0
    assert (await bench.job(later)).forecast.jobs_ahead == 1
    assert (await bench.job(running)).forecast.HasField("end_time_p50")
    first_look = sb.ReadJobEventsRequest(tenant=TENANT, job_id=first)
    assert (await bench.store.ReadJobEvents(first_look, NO_CONTEXT)).job.HasField("forecast")
    page = await bench.store.ListJobs(sb.ListJobsRequest(tenant=TENANT, page_size=50), NO_CONTEXT)
    shown = {job.job_id for job in page.jobs if job.HasField("forecast")}
    assert shown == {running, first, later}
    await bench.cancel(later)
    assert not (await bench.job(later)).HasField("forecast")


async def test_a_job_that_is_being_canceled_is_told_no_end(bench: Bench) -> None:
    """The provider's last word decides, whatever others took."""
    for _ in range(5):
        await ran(bench, 10)
    running, _ = await bench.submitted()
    await bench.cancel(running)
    for forecast in ((await told(bench))[running], (await bench.job(running)).forecast):
        assert forecast.runs_counted == 5
        assert not forecast.HasField("end_time_p50")


async def test_however_many_ask_it_is_read_once(bench: Bench) -> None:
    """They share one reading, and its answer for a second and a half."""
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    await bench.submit()
    forecasts = Forecasts(bench.database, 0.0, RecentRuns())
    engine = bench.database._engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", count)
    answers = await asyncio.gather(*(forecasts.of_tenant(TENANT) for _ in range(50)))
    assert 1 <= statements <= 6
    assert {len(each) for each in answers} == {1}
    before = statements
    later = (await bench.submit()).job_id
    mine = statements - before
    assert len(await forecasts.of_tenant(TENANT)) == 1
    assert statements - before == mine, "an answer that is new enough is told again"
    await asyncio.sleep(1.6)
    assert later in {each.job_id for each in await forecasts.of_tenant(TENANT)}


async def test_one_who_gives_up_leaves_the_others_their_answer(bench: Bench) -> None:
    """The reading that they share goes on."""
    await bench.submit()
    forecasts = Forecasts(bench.database, 0.0, RecentRuns())
    gone = asyncio.create_task(forecasts.of_tenant(TENANT))
    waiting = asyncio.create_task(forecasts.of_tenant(TENANT))
    await asyncio.sleep(0)
    gone.cancel()
    assert len(await waiting) == 1


async def test_a_job_is_read_without_its_forecast_if_that_takes_too_long(bench: Bench) -> None:
    """Here a table is locked that only forecasts read: the job is worth more than an estimate."""
    job = await bench.submit()
    async with bench.database.transaction() as connection:
        await connection.execute(sa.text("LOCK TABLE workers IN ACCESS EXCLUSIVE MODE"))
        async with asyncio.timeout(4):  # which a statement waits longer for than that
            assert not (await bench.job(job.job_id)).HasField("forecast")
    assert (await bench.job(job.job_id)).HasField("forecast")
