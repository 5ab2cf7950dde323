"""`python -m generator` with a real RabbitMQ: settings, health, drain, and death at every step.

The store is the fake ledger; what the real one makes of a death is its own tests' matter.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from generator import failpoints
from mediagen.generator.v1.messages_pb2 import WorkerHint, WorkMessage
from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings as SimulatorSettings
from tests.fakes.generator_bench import FLUX, TOKEN
from tests.fakes.ledger import FakeJob, FakeLedger, running_ledger

from .publishing import publishing


class Setup:
    """The world around a generator process."""

    def __init__(
        self, ledger: FakeLedger, store: str, sim: RunningSimulator, amqp: str, folder: Path
    ) -> None:
        self.ledger, self.sim, self.amqp, self.folder = ledger, sim, amqp, folder
        self.env = {
            **os.environ,
            "PYTHONPATH": "client:services:.",
            "STORE_ADDRESS": store,
            "AMQP_URL": amqp,
            "REPLICATE_API_TOKEN": TOKEN,
            "REPLICATE_BASE_URL": sim.base_url,
            "REPLICATE_DELIVERY_HOSTS": sim.base_url.removeprefix("http://"),
            "ARTIFACTS_URL": f"file://{folder}/artifacts",
            "GENERATOR_CONCURRENCY": "20",
            "LOG_FORMAT": "json",
        }

    @asynccontextmanager
    async def process(self, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
        log = self.folder / "generator.log"
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "generator", env=self.env | env, stderr=sink
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def publish(self, job: FakeJob, job_class: str = "default") -> None:
        body = WorkMessage(job_id=job.job_id, dispatch=job.dispatch).SerializeToString()
        async with publishing(self.amqp) as publisher:
            await publisher.publish_work(job_class, body, f"{job.job_id} {job.epoch}")

    def log(self) -> str:
        return (self.folder / "generator.log").read_text()


@pytest.fixture
async def setup(amqp_url: str, tmp_path: Path) -> AsyncIterator[Setup]:
    settings = SimulatorSettings(seed="test", speed=10.0)
    async with running_simulator(settings) as sim, running_ledger() as (ledger, store):
        yield Setup(ledger, store, sim, amqp_url, tmp_path)


async def until(true: object, within: float = 30.0) -> None:
    assert callable(true)
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.05)


async def test_a_worker_runs_what_is_published_and_drains_on_sigterm(setup: Setup) -> None:
    """Finished jobs are complete, a running one is handed back, its call left running."""
    done = [setup.ledger.add(f"job-{n}", FLUX, f"cat {n}") for n in range(5)]
    async with setup.process() as process:
        for job in done:
            await setup.publish(job)
        await until(lambda: all(job.completed for job in done))
        setup.sim.set_fault("run", 600)
        long = setup.ledger.add("long", FLUX, "a slow cat")
        await setup.publish(long)
        await until(lambda: long.current is not None and long.current.state == "SUBMITTED")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0
    assert long.released is not None
    assert setup.sim.ledger()["creates"] == 6
    slots = [call.slots for name, call in setup.ledger.calls if name == "Heartbeat"]
    assert (slots[0], slots[-1]) == (20, 0)
    assert TOKEN not in setup.log()


async def test_a_hint_cancels_before_the_heartbeat_would(setup: Setup) -> None:
    """Over the worker's own queue."""
    setup.sim.set_fault("run", 600)
    job = setup.ledger.add("j1", FLUX, "a slow cat")
    async with setup.process():
        await setup.publish(job)
        await until(lambda: job.current is not None and job.current.state == "SUBMITTED")
        worker = next(call.worker_id for name, call in setup.ledger.calls if name == "ClaimJob")
        hint = WorkerHint(job_id=job.job_id, cancel_requested=True).SerializeToString()
        async with publishing(setup.amqp) as publisher:
            await publisher.publish_event(f"worker.{worker}", hint)
        await until(lambda: job.attempts[0].state == "CANCELED", within=4)


async def test_a_quarantined_job_runs_when_the_others_have_ended(setup: Setup) -> None:
    """Alone; what comes meanwhile waits and is run afterwards."""
    setup.sim.set_fault("run", 3, match="slow")
    jobs = [setup.ledger.add(name, FLUX, name) for name in ("slow-other", "slow-killer", "next")]
    other, killer, following = jobs
    async with setup.process():
        await setup.publish(other)
        await until(lambda: other.current is not None)
        await setup.publish(killer, "quarantine")
        await until(lambda: killer.leased)
        assert other.completed is not None
        await setup.publish(following)
        await until(lambda: following.completed is not None)
        assert killer.completed is not None
    claims = [call.job_id for name, call in setup.ledger.calls if name == "ClaimJob"]
    assert claims == ["slow-other", "slow-killer", "next"]


async def test_health_tells_the_truth_about_store_and_broker(setup: Setup) -> None:
    """SERVING once both answer; not while the store does not."""
    from devstack.ports import free_port

    port = free_port()
    async with (
        setup.process(HEALTH_PORT=str(port)),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        check = health_pb2_grpc.HealthStub(channel).Check
        serving = health_pb2.HealthCheckResponse.SERVING

        async def becomes(wanted: bool) -> None:
            async with asyncio.timeout(30):
                while True:
                    try:
                        answer = await check(health_pb2.HealthCheckRequest(), timeout=2)
                    except grpc.aio.AioRpcError:
                        answer = None
                    if answer is not None and (answer.status == serving) is wanted:
                        return
                    await asyncio.sleep(0.2)

        await becomes(True)
        setup.ledger.fail("Heartbeat", grpc.StatusCode.UNAVAILABLE, 1000)
        await becomes(False)
        setup.ledger.failing.clear()
        await becomes(True)


async def test_every_problem_of_the_settings_is_told_at_once() -> None:
    """By name, with exit 2."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "generator",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "client:services:.",
             "REPLICATE_BASE_URL": "http://example.com", "GENERATOR_CONCURRENCY": "0",
             "REPLICATE_DELIVERY_HOSTS": "https://x/y", "STORE_ADDRESS": "nowhere"},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, told = await process.communicate()
    assert process.returncode == 2
    for name in (
        "AMQP_URL", "REPLICATE_API_TOKEN", "REPLICATE_BASE_URL", "ARTIFACTS_URL",
        "GENERATOR_CONCURRENCY", "REPLICATE_DELIVERY_HOSTS", "STORE_ADDRESS",
    ):  # fmt: skip
        assert name in told.decode()


@pytest.mark.parametrize("name", ["after_begin_submit", "after_create_prediction"])
async def test_a_worker_that_dies_here_is_followed_by_one_that_pays_nothing_more(
    setup: Setup, name: str
) -> None:
    """kill -9, the lease expires, the next worker goes on: one call in all. The other failpoints
    are e2e/test_crash_generator.py's."""
    assert name in failpoints.NAMES
    job = setup.ledger.add("j1", FLUX, "a cat")
    async with setup.process(MEDIAGEN_FAILPOINT=name) as first:
        await setup.publish(job)
        assert await asyncio.wait_for(first.wait(), 30) == -signal.SIGKILL
    lost = next((each for each in job.attempts if each.state == "SUBMITTING"), None)
    if lost is not None:
        setup.ledger.lose(lost)
    job.leased = False
    async with setup.process():
        if lost is not None and name == "after_create_prediction":
            await until(lambda: lost.state == "SUBMITTED")
        elif lost is not None:
            await until(lambda: len(setup.ledger.scans) >= 2)
            assert all(not scan.evidence[0].weak_candidates for scan in setup.ledger.scans)
            setup.ledger.unknown.clear()
            lost.state = "NOT_CREATED"
        await setup.publish(job)
        await until(lambda: job.completed is not None)
    assert setup.sim.ledger()["creates"] == 1


async def test_hundreds_of_running_jobs_cost_little_memory(setup: Setup) -> None:
    """At most 100 KiB for each of 250, above an idle worker that has run a job. And every slot is
    used: as many jobs run as the setting says."""
    setup.sim.set_fault("run", 600)
    jobs = [setup.ledger.add(f"job-{n}", FLUX, f"cat {n} " + "x" * 500) for n in range(250)]
    async with setup.process(GENERATOR_CONCURRENCY="250", LOG_LEVEL="WARNING") as process:
        await setup.publish(jobs[0])
        await until(lambda: running(jobs) == 1)
        await asyncio.sleep(1)
        before = resident(process.pid)
        async with publishing(setup.amqp) as publisher:
            for job in jobs[1:]:
                body = WorkMessage(job_id=job.job_id, dispatch=1).SerializeToString()
                await publisher.publish_work("default", body, job.job_id)
        await until(lambda: running(jobs) == 250, within=120)
        await asyncio.sleep(2)
        each = (resident(process.pid) - before) / 250
    print(f"{each / 1024:.1f} KiB per running job")
    assert each <= 100 * 1024


def running(jobs: list[FakeJob]) -> int:
    return sum(1 for job in jobs if job.current is not None and job.current.state == "SUBMITTED")


def resident(pid: int) -> int:
    """Bytes of memory, of a process of this machine."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
