"""What the store says is going on: to operators, to health, and to Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from servicekit import metrics
from servicekit.lifecycle import Stop
from servicekit.server import PortTaken
from store.adapters.database import Database, PoolSettings
from store.adapters.metrics import PostCounter, registry
from store.adapters.overview import OverviewReader

from .operator_bench import Desk, desk_at
from .store_bench import ACCOUNT, NO_CONTEXT

Figures = dict[str, float]


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_at(database_url) as made:
        yield made


@asynccontextmanager
async def served(reader: OverviewReader) -> AsyncIterator[str]:
    """The URL of the metrics."""
    stop, port = Stop(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        metrics.serve(registry(reader, PostCounter()), "127.0.0.1", 0, stop, port.set_result)
    )
    yield f"http://127.0.0.1:{await port}/metrics"
    stop.set()
    await serving


async def scraped(url: str) -> Figures:
    """Each sample by its name and labels."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(url)
    assert answer.status_code == 200
    return {
        f"{sample.name}{sorted(sample.labels.values()) or ''}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def busy(desk: Desk) -> None:
    """One job of every kind, two that wait, and a worker of four slots."""
    await desk.died()
    await desk.ran()
    await desk.parked()
    await desk.discard(await desk.died())
    running, held = await desk.bench.submitted()
    claimed = await desk.bench.submit()
    epoch = (await desk.bench.claim(claimed.job_id)).lease_epoch
    await desk.bench.begin(claimed.job_id, epoch)
    token = desk.bench.tokens[claimed.job_id]
    await desk.bench.ledger.RecordUnknown(lb.RecordUnknownRequest(submit_token=token), NO_CONTEXT)
    lease = lb.LeaseReport(job_id=running, lease_epoch=held)
    beat = lb.HeartbeatRequest(worker_id="worker-1", slots=4, leases=[lease])
    await desk.bench.ledger.Heartbeat(beat, NO_CONTEXT)
    for _ in range(2):
        await desk.bench.submit()


async def test_the_overview_counts_each_job_once(desk: Desk) -> None:
    """Parked ones are neither reconciling nor dead; what was decided about is nowhere."""
    await busy(desk)
    seen = await desk.overview()
    assert (seen.waiting_jobs, seen.running_jobs, seen.reconciling_jobs) == (2, 1, 1)
    assert (seen.parked_jobs, seen.dead_jobs) == (1, 2)
    assert seen.HasField("oldest_waiting_time")
    (worker,) = seen.workers
    assert (worker.worker_id, worker.slots, worker.running) == ("worker-1", 4, 1)
    (provider,) = seen.providers
    assert (provider.account, provider.open, provider.message) == (ACCOUNT, True, "")
    assert provider.creates_per_minute_limit == 600
    assert not provider.HasField("shut_until")


async def test_health_counts_parked_jobs_and_not_their_attempts(desk: Desk) -> None:
    """One that has ended waits for nobody, though its attempt is unresolved for ever."""
    await busy(desk)
    canceled = await desk.parked()
    await desk.bench.cancel(canceled)
    health = await desk.bench.store.GetHealth(sb.GetHealthRequest(), NO_CONTEXT)
    assert (health.parked_jobs, health.unresolved_attempts, health.dead_jobs) == (1, 1, 2)
    assert (health.waiting_jobs, health.running_jobs) == (2, 1)


async def test_it_is_a_simulator_only_if_every_worker_says_so(desk: Desk) -> None:
    """Nobody shall take what is paid for as a game; a worker that drains does nothing new."""

    async def simulated(*workers: lb.HeartbeatRequest) -> bool:
        for beat in workers:
            await desk.bench.ledger.Heartbeat(beat, NO_CONTEXT)
        return (await desk.bench.store.GetHealth(sb.GetHealthRequest(), NO_CONTEXT)).simulated

    assert not await simulated()
    assert await simulated(lb.HeartbeatRequest(worker_id="worker-1", slots=4, simulated=True))
    assert not await simulated(lb.HeartbeatRequest(worker_id="worker-2", slots=4))
    assert await simulated(lb.HeartbeatRequest(worker_id="worker-2", slots=0))


async def test_an_account_that_is_shut_is_told_everywhere(desk: Desk) -> None:
    """With the reason and the time of the next try."""
    await busy(desk)
    await desk.shut("No credit is left.")
    (provider,) = (await desk.overview()).providers
    assert (provider.open, provider.message) == (False, "No credit is left.")
    assert provider.HasField("shut_until")
    health = await desk.bench.store.GetHealth(sb.GetHealthRequest(), NO_CONTEXT)
    assert (health.provider, health.provider_message) == (False, "No credit is left.")
    async with served(OverviewReader(desk.bench.database, 600.0)) as url:
        assert (await scraped(url))[f"mediagen_provider_open['{ACCOUNT}']"] == 0


async def test_an_idle_service_is_all_zeros(desk: Desk) -> None:
    """Nothing is absent that a rule could ask for, but accounts that there are not."""
    seen = await desk.overview()
    assert not seen.HasField("oldest_waiting_time")
    assert not seen.providers
    async with served(OverviewReader(desk.bench.database, 0.0)) as url:
        figures = {k: v for k, v in (await scraped(url)).items() if k.startswith("mediagen_")}
    assert figures.pop("mediagen_database_up") == 1
    assert set(figures.values()) == {0.0}
    assert "mediagen_dead_letters['resolved']" in figures
    assert "mediagen_webhook_deliveries['held']" in figures
    assert "mediagen_webhook_posts_total['taken']" in figures


async def test_metrics_say_what_the_overview_says(desk: Desk) -> None:
    """Under names that rules are written for."""
    await busy(desk)
    await desk.operator._models.begin()
    await desk.run("INSERT INTO doomed_objects VALUES ('k', now(), now())")
    async with served(OverviewReader(desk.bench.database, 600.0)) as url:
        figures = await scraped(url)
    waited = figures.pop("mediagen_oldest_waiting_seconds")
    assert waited > 0
    wanted = {
        "mediagen_database_up": 1,
        "mediagen_jobs['waiting']": 2,
        "mediagen_jobs['running']": 1,
        "mediagen_jobs['reconciling']": 1,
        "mediagen_jobs['parked']": 1,
        "mediagen_dead_letters['parked']": 1,
        "mediagen_dead_letters['dead']": 2,
        "mediagen_dead_letters['discarded']": 1,
        "mediagen_dead_letters['redriven']": 0,
        "mediagen_workers": 1,
        "mediagen_worker_slots": 4,
        "mediagen_models['known']": 17,
        "mediagen_models['missing']": 0,
        "mediagen_objects_to_delete": 1,
        f"mediagen_provider_open['{ACCOUNT}']": 1,
        f"mediagen_provider_creates_per_minute['{ACCOUNT}']": 600,
        "mediagen_provider_creates_per_minute_limit": 600,
        f"mediagen_provider_throttled_total['{ACCOUNT}']": 0,
    }
    assert {name: figures.get(name) for name in wanted} == wanted
    assert "process_resident_memory_bytes" in figures


async def test_scrapes_at_once_share_one_look(desk: Desk) -> None:
    """However many there are, Postgres is asked once a second at most."""
    looks = 0

    class Counting(OverviewReader):
        async def read(self) -> object:  # type: ignore[override]
            nonlocal looks
            looks += 1
            return await super().read()

    async with served(Counting(desk.bench.database, 600.0)) as url:
        seen = await asyncio.gather(*(scraped(url) for _ in range(8)))
    assert {figures["mediagen_database_up"] for figures in seen} == {1.0}
    assert looks <= 2


async def test_a_dead_database_is_a_zero_and_not_a_hang() -> None:
    """Nothing else is shown then: an old count would be a lie."""
    # A listener that never answers: the worst way to be away.
    mute = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    database = Database(
        f"postgresql+asyncpg://nobody:none@127.0.0.1:{port}/none", PoolSettings(wait=60.0)
    )
    async with mute, served(OverviewReader(database, 600.0)) as url:
        async with asyncio.timeout(30):
            figures = await scraped(url)
        assert figures["mediagen_database_up"] == 0
        ours = {name for name in figures if name.startswith("mediagen_")}
        # What this store counts by itself needs no database.
        assert {name for name in ours if "webhook_posts" not in name} == {"mediagen_database_up"}
        mute.close()
    await database.close()


async def test_a_port_that_is_taken_is_told(desk: Desk) -> None:
    """In one line, as for every other port."""
    reader = OverviewReader(desk.bench.database, 600.0)
    async with served(reader) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(PortTaken, match=f":{port}:"):
            await metrics.serve(registry(reader, PostCounter()), "127.0.0.1", port, Stop())
