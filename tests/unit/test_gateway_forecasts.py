"""Is a watcher told when a forecast has moved, and not otherwise?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.domain.errors import StoreUnavailable
from gateway.watch.filters import JobFilter
from gateway.watch.forecasts import moved
from gateway.watch.hub import SWEEPS, Hub
from mediagen.v1 import job_pb2
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource

Job = job_pb2.Job


def forecast(as_of: int = 1000, ahead: int | None = None, **after: float) -> job_pb2.Forecast:
    """One made at *as_of*, with times so many seconds after it."""
    made = job_pb2.Forecast(jobs_ahead=ahead)
    made.as_of.FromSeconds(as_of)
    for name, seconds in after.items():
        getattr(made, name).FromMilliseconds(int((as_of + seconds) * 1000))
    return made


@pytest.mark.parametrize(
    ("told", "now", "has_moved"),
    [
        (forecast(ahead=3), forecast(ahead=3), False),
        (forecast(ahead=3), forecast(ahead=2), True),
        (forecast(ahead=0), forecast(), True),
        (forecast(end_time_p50=100), forecast(end_time_p50=109), False),
        (forecast(end_time_p50=100), forecast(end_time_p50=112), True),
        # The same moment, as seen 50 s later: it has not moved, though it is nearer.
        (forecast(1000, end_time_p50=100), forecast(1050, end_time_p50=50), False),
        (forecast(1000, end_time_p50=100), forecast(1050, end_time_p50=60), True),
        (forecast(), forecast(start_time_p90=5), True),
    ],
)
def test_a_forecast_has_moved_by_its_place_or_by_a_tenth_of_how_far_away_it_is(
    told: job_pb2.Forecast, now: job_pb2.Forecast, has_moved: bool
) -> None:
    assert moved(told, now) is has_moved


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


async def took(events: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(5):
        return (await anext(events)).message


async def silent(watch: Any, events: AsyncIterator[Any]) -> bool:
    watch.beat_due = True
    return (await took(events)).HasField("heartbeat")


async def test_the_watcher_of_a_job_is_told_each_time_it_has_moved(store: FakeStore) -> None:
    """One read of the store is for all watchers, and nothing is said of a job that has ended."""
    job, other = store.add(), store.add()
    hub = Hub(StoreSource(store), read_every=60)
    async with hub.watch_job("default", job.job_id, 0) as watch:
        events = watch.events()
        await took(events)
        store.forecasts = {other.job_id: forecast(ahead=0), job.job_id: forecast(ahead=1)}
        await hub.forecast()
        assert (await took(events)).forecast.jobs_ahead == 1
        store.forecasts[other.job_id] = forecast(ahead=None)
        await hub.forecast()
        assert await silent(watch, events)
        store.forecasts[job.job_id] = forecast(ahead=0)
        await hub.forecast()
        assert (await took(events)).forecast.jobs_ahead == 0


async def test_watchers_of_jobs_are_told_of_theirs_and_late_comers_of_all(
    store: FakeStore,
) -> None:
    """By filter; a cursor comes along as with everything."""
    ours = store.add(job_pb2.JobRequest(labels={"team": "x"}))
    other = store.add(job_pb2.JobRequest(labels={"team": "y"}))
    store.forecasts = {
        other.job_id: forecast(ahead=0),
        ours.job_id: forecast(ahead=1),
    }
    hub = Hub(StoreSource(store), read_every=60)
    wanted = JobFilter(labels=frozenset({("team", "x")}))

    async def begun(watch: Any) -> AsyncIterator[Any]:
        events: AsyncIterator[Any] = watch.events()
        while not (await took(events)).HasField("synced"):
            pass
        return events

    async with (
        hub.watch_jobs("default", wanted, None) as one,
        hub.watch_jobs("default", JobFilter(), None) as every,
    ):
        events, all_events = await begun(one), await begun(every)
        await hub.forecast()
        told = await took(events)
        assert [each.job_id for each in told.forecasts.forecasts] == [ours.job_id]
        assert told.cursor
        told = await took(all_events)
        assert [each.job_id for each in told.forecasts.forecasts] == [other.job_id, ours.job_id]
        store.forecasts[other.job_id] = forecast()
        await hub.forecast()
        told = await took(all_events)
        assert [each.job_id for each in told.forecasts.forecasts] == [other.job_id]
        assert await silent(one, events)
        async with hub.watch_jobs("default", JobFilter(), None) as late:
            late_events = await begun(late)
            assert len((await took(late_events)).forecasts.forecasts) == 2


async def test_nothing_is_said_of_a_job_that_has_ended(store: FakeStore) -> None:
    """Though the store's answer, which may be two seconds old, still has it."""
    job = store.add()
    hub = Hub(StoreSource(store), read_every=60)
    async with hub.watch_jobs("default", JobFilter(), None) as watch:
        events = watch.events()
        while not (await took(events)).HasField("synced"):
            pass
        store.finish(job.job_id)
        await hub.hear(store.batch(2))
        assert (await took(events)).HasField("update")
        store.forecasts = {job.job_id: forecast(ahead=0)}
        await hub.forecast()
        assert await silent(watch, events)


async def test_a_tenant_with_nothing_to_forecast_costs_no_read(store: FakeStore) -> None:
    """Until something happens."""
    hub = Hub(StoreSource(store), read_every=60)
    async with hub.watch_jobs("default", JobFilter(), None):
        await hub.forecast()
        reads = len(store.seen)
        await hub.forecast()
        assert len(store.seen) == reads
        store.add()
        await hub.hear(store.batch(1))
        await hub.forecast()
        assert len(store.seen) == reads + 1


async def test_a_store_without_forecasts_costs_no_watch(store: FakeStore) -> None:
    """As while stores are being updated."""
    job = store.add()
    source = StoreSource(store)
    hub = Hub(source, read_every=60)

    def fail() -> None:
        raise StoreUnavailable

    async with hub.watch_job("default", job.job_id, 1) as watch:
        source.between = fail
        await hub.forecast()
        source.between = lambda: None
        assert await silent(watch, watch.events())


async def test_heartbeats_come_after_as_many_quiet_sweeps(store: FakeStore) -> None:
    """And say how current the stream is: what happened before was told."""
    job = store.add()
    hub = Hub(StoreSource(store), read_every=60)
    async with (
        hub.watch_job("default", job.job_id, 1) as watch,
        hub.watch_jobs("default", JobFilter(), None) as jobs,
    ):
        events, jobs_events = watch.events(), jobs.events()
        while not (told := await took(jobs_events)).HasField("synced"):
            pass
        for _ in range(SWEEPS - 1):
            await hub.sweep()
        assert not watch.beat_due and not jobs.beat_due
        store.change(job.job_id)
        await hub.hear(store.batch(2))
        assert (await took(events)).update.revision == 2
        update = await took(jobs_events)
        for _ in range(SWEEPS - 1):
            await hub.sweep()
        assert not watch.beat_due and not jobs.beat_due, "it was not quiet so long"
        await hub.sweep()
        beat, jobs_beat = await took(events), await took(jobs_events)
    assert beat.heartbeat.revision == 2
    assert beat.heartbeat.current_time.seconds > 0
    assert jobs_beat.heartbeat.current_time == beat.heartbeat.current_time
    assert jobs_beat.cursor and told.cursor and update.cursor
