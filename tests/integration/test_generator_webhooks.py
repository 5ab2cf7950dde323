"""With webhooks a job costs three requests; without those that should come it is polled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from generator.domain.polling import Pace, Rhythm
from mediagen.v1.job_pb2 import Job
from tests.fakes.generator_bench import FLUX, FakeDelivery, Rig, generator_rig
from tests.fakes.ledger import FakeJob

ENDS = ("failed", "succeeded")
BAR = "Using seed: 7\n {0:2d}%|####| {0}/100 [1.0it/s]"


class Hurried(Pace):
    """Twenty times as often: 10 s without a word are half a second here, 30 s of silence 1.5 s."""

    def delay(self, rhythm: Rhythm, running: int, jitter: float) -> float:
        return super().delay(rhythm, running, jitter) / 20


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        made.listen(Hurried())
        yield made


async def begun(rig: Rig, job: FakeJob) -> asyncio.Task[FakeDelivery]:
    """The job runs, and its prediction is recorded."""
    running = asyncio.create_task(rig.run(job))
    await until(lambda: bool(job.attempts and job.attempts[0].prediction_id))
    return running


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def entry(rig: Rig) -> dict[str, Any]:
    found: dict[str, Any] = rig.sim.ledger()["predictions"][0]
    return found


def ended(rig: Rig) -> bool:
    return str(entry(rig)["status"]) == "succeeded"


async def test_told_of_everything_a_job_costs_three_requests(rig: Rig) -> None:
    """Create, one look at the end, one file."""
    rig.sim.set_fault("run", 1.0)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    running = await begun(rig, job)
    prediction = job.attempts[0].prediction_id
    for percent in (0, 30, 60):
        await rig.hint(job, prediction, "processing", BAR.format(percent))
        await asyncio.sleep(0.3)
    await until(lambda: ended(rig))
    await rig.hint(job, prediction, "succeeded", BAR.format(99))
    await asyncio.wait_for(running, 5)
    assert job.completed is not None
    assert entry(rig)["requests"] == 3
    assert not rig.parts.hearing.deaf


async def test_what_is_told_is_shown_without_a_request_and_never_backwards(rig: Rig) -> None:
    """A shorter log is an older one; another prediction's is none of ours."""
    rig.listen(Pace())
    rig.sim.set_fault("run", 600)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = await begun(rig, job)
    prediction = job.attempts[0].prediction_id
    (lease,) = rig.parts.leases._held.values()
    await rig.hint(job, prediction, "processing", BAR.format(40) + "\nmore")
    await until(lambda: lease.progress == 40)
    assert lease.stage == Job.STAGE_PROCESSING
    for late in (BAR.format(10), ""):
        await rig.hint(job, prediction, "processing", late)
        await asyncio.sleep(0.05)
        assert (lease.progress, lease.log_tail[-4:]) == (40, "more")
    await rig.hint(job, "another", "processing", BAR.format(80) + "\nthe other's")
    await asyncio.sleep(0.05)
    assert lease.progress == 40
    await until(lambda: job.logs)
    assert job.logs[-1].endswith("more")
    assert entry(rig)["gets"] == 0
    rig.parts.leases.hand_back()
    await asyncio.wait_for(running, 5)


async def test_a_webhook_may_be_faster_than_the_answer_to_the_create(rig: Rig) -> None:
    """It is remembered until it is known whose prediction it is."""
    rig.sim.set_fault("run", 600)
    rig.sim.set_fault("slow_create", 1)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: rig.creates() == 1)
    await rig.hint(job, entry(rig)["id"], "processing", BAR.format(25))
    await until(lambda: job.attempts[0].prediction_id)
    (lease,) = rig.parts.leases._held.values()
    await until(lambda: lease.progress == 25)
    await until(lambda: entry(rig)["gets"] > 0)  # after a silence
    assert rig.parts.hearing._missed == 0
    rig.parts.leases.hand_back()
    await asyncio.wait_for(running, 5)


async def test_the_webhook_of_the_end_may_be_lost(rig: Rig) -> None:
    """After a silence there is a look."""
    rig.sim.set_fault("run", 0.3)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    running = await begun(rig, job)
    await rig.hint(job, job.attempts[0].prediction_id, "processing", BAR.format(1))
    began = time.monotonic()
    await asyncio.wait_for(running, 8)
    assert time.monotonic() - began > 1
    assert job.completed is not None
    assert entry(rig)["requests"] == 3


async def test_a_prediction_that_is_never_told_of_is_polled(rig: Rig) -> None:
    """Once a look shows that its start was; so are the next, until one is heard again."""
    rig.sim.set_fault("queue", 0)
    rig.sim.set_fault("run", 1.0)
    for number in range(4):
        job = rig.ledger.add(f"j{number}", FLUX, "a cat", num_outputs=1)
        await asyncio.wait_for(rig.run(job), 8)
        assert job.completed is not None
        assert rig.parts.hearing.deaf == (number >= 2)
    gets = [each["gets"] for each in rig.sim.ledger()["predictions"]]
    assert gets[3] > gets[0] > 1
    job = rig.ledger.add("heard", FLUX, "a cat", num_outputs=1)
    running = await begun(rig, job)
    await rig.hint(job, job.attempts[0].prediction_id, "processing")
    await asyncio.wait_for(running, 8)
    assert not rig.parts.hearing.deaf


async def test_one_that_only_waits_for_its_start_has_missed_nothing(rig: Rig) -> None:
    """There is no webhook to come."""
    rig.sim.set_fault("queue", 1.2)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    running = await begun(rig, job)
    await until(lambda: entry(rig)["gets"] == 1)
    await rig.hint(job, job.attempts[0].prediction_id, "processing")
    await until(lambda: ended(rig))
    await rig.hint(job, job.attempts[0].prediction_id, "succeeded")
    await asyncio.wait_for(running, 5)
    assert entry(rig)["gets"] <= 3
    assert rig.parts.hearing._missed == 0


async def test_a_webhook_of_the_end_that_lies_is_found_out(rig: Rig) -> None:
    """The look decides. It then goes on looking, and late webhooks of the run do not stop it."""
    rig.sim.set_fault("run", 1.0)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    running = await begun(rig, job)
    prediction = job.attempts[0].prediction_id
    await rig.hint(job, prediction, "succeeded")
    await until(lambda: entry(rig)["gets"] >= 1)
    await rig.hint(job, prediction, "processing", BAR.format(1))
    await asyncio.wait_for(running, 5)
    assert job.completed is not None
    assert entry(rig)["gets"] > 2


async def test_a_cancel_is_sent_and_its_end_read_without_waiting_for_webhooks(rig: Rig) -> None:
    """Silence is for those that run undisturbed."""
    rig.sim.set_fault("run", 600)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = await begun(rig, job)
    await rig.hint(job, job.attempts[0].prediction_id, "processing", BAR.format(1))
    await asyncio.sleep(0.05)
    (lease,) = rig.parts.leases._held.values()
    lease.told_cancel()
    await asyncio.wait_for(running, 2)
    assert rig.ledger.names()[-1] == "RecordEnded"
    assert job.attempts[0].state == "CANCELED"


async def test_a_second_worker_does_not_blame_the_first_ones_webhooks(rig: Rig) -> None:
    """What was told before it came can not be told again: it polls, and counts nothing."""
    rig.sim.set_fault("run", 600)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = await begun(rig, job)
    rig.parts.leases.hand_back()
    await asyncio.wait_for(running, 5)
    again = asyncio.create_task(rig.run(job))
    await until(lambda: entry(rig)["gets"] > 3)
    assert rig.parts.hearing._missed == 0
    rig.parts.leases.hand_back()
    await asyncio.wait_for(again, 5)


async def test_the_last_words_of_a_model_are_on_record(rig: Rig) -> None:
    """Also of one that failed: they say why."""
    rig.sim.set_fault("fail", "OOM", count=1)
    rig.sim.set_fault("run", 0.2)
    for name in ("failed", "done"):
        job = rig.ledger.add(name, FLUX, "a cat", num_outputs=1)
        running = await begun(rig, job)
        await until(
            lambda: rig.sim.ledger()["predictions"][-1]["status"] in ("failed", "succeeded")
        )
        await rig.hint(job, job.attempts[0].prediction_id, "failed")
        await asyncio.wait_for(running, 5)
    told = {name: call for name, call in rig.ledger.calls if name.startswith("Record")}
    assert "Using seed" in told["RecordEnded"].log_tail
    assert "Total safe images" in told["RecordSucceeded"].log_tail
