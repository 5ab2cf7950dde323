"""What a worker sees of the model is shown: stage, percent and log, at most once a second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import job_pb2

from .store_bench import NO_CONTEXT, Bench, store_bench

PROCESSING, SAVING = job_pb2.Job.STAGE_PROCESSING, job_pb2.Job.STAGE_SAVING


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def beat(bench: Bench, job_id: str, epoch: int, **shown: Any) -> list[str]:
    """A heartbeat that reports *shown*: the jobs that are to be reported again."""
    report = lb.LeaseReport(job_id=job_id, lease_epoch=epoch, stage=PROCESSING, **shown)
    request = lb.HeartbeatRequest(worker_id="worker-1", slots=1, leases=[report])
    return list((await bench.ledger.Heartbeat(request, NO_CONTEXT)).unshown_job_ids)


async def test_a_log_that_alone_has_changed_is_a_revision(bench: Bench) -> None:
    """Absent it is as it was; told again it is none."""
    job_id, epoch = await bench.submitted()
    await beat(bench, job_id, epoch, progress_percent=5, log_tail="step 1")
    first = await bench.job(job_id)
    assert (first.log_tail, first.progress_percent, first.stage) == ("step 1", 5, PROCESSING)
    await bench.pass_time(job_id, 2)
    assert not await beat(bench, job_id, epoch, log_tail="step 1")
    assert not await beat(bench, job_id, epoch)
    assert (await bench.job(job_id)).revision == first.revision
    assert not await beat(bench, job_id, epoch, log_tail="step 2")
    second = await bench.job(job_id)
    assert (second.log_tail, second.revision) == ("step 2", first.revision + 1)
    assert second.progress_percent == 5


async def test_progress_is_shown_at_most_once_a_second(bench: Bench) -> None:
    """What comes sooner is not lost: the worker is told to report it again."""
    job_id, epoch = await bench.submitted()
    assert not await beat(bench, job_id, epoch, progress_percent=1), "a new stage is shown at once"
    before = await bench.job(job_id)
    assert await beat(bench, job_id, epoch, progress_percent=2, log_tail="two") == [job_id]
    assert await beat(bench, job_id, epoch, progress_percent=3, log_tail="three") == [job_id]
    assert (await bench.job(job_id)).revision == before.revision
    await bench.pass_time(job_id, 1)
    assert not await beat(bench, job_id, epoch, progress_percent=3, log_tail="three")
    shown = await bench.job(job_id)
    assert (shown.progress_percent, shown.log_tail) == (3, "three")
    assert shown.revision == before.revision + 1


async def test_of_a_long_log_the_end_is_kept(bench: Bench) -> None:
    """At most 1,024 characters, and none that Postgres does not take."""
    job_id, epoch = await bench.submitted()
    await beat(bench, job_id, epoch, log_tail="x" * 5000 + "\x00" + "🦊" * 500)
    tail = (await bench.job(job_id)).log_tail
    assert len(tail) == 1024
    assert tail.startswith("…x")
    assert tail.endswith("x\ufffd" + "🦊" * 500)


async def test_the_last_word_brings_the_end_of_the_log(bench: Bench) -> None:
    """Without a revision of its own; unset, the log stays as it was shown."""
    job_id, epoch = await bench.submitted()
    await beat(bench, job_id, epoch, log_tail="step 1")
    before = await bench.job(job_id)
    request = lb.RecordSucceededRequest(job_id=job_id, prediction_id=f"p-{job_id}")
    request.log_tail = "done"
    await bench.ledger.RecordSucceeded(request, NO_CONTEXT)
    await bench.ledger.RecordSucceeded(request, NO_CONTEXT)
    job = await bench.job(job_id)
    assert (job.log_tail, job.stage, job.revision) == ("done", SAVING, before.revision + 1)
    other, epoch = await bench.submitted()
    await beat(bench, other, epoch, log_tail="step 1")
    await bench.succeeded(other)
    assert (await bench.job(other)).log_tail == "step 1"


async def test_a_log_is_of_the_newest_attempt(bench: Bench) -> None:
    """That of a failed one is shown while the retry waits, and gone when it begins."""
    job_id, _ = await bench.submitted()
    request = lb.RecordEndedRequest(
        job_id=job_id, prediction_id=f"p-{job_id}", end=lb.PREDICTION_END_FAILED,
        failure=lb.ProviderFailure(kind=lb.FAILURE_KIND_TRANSIENT), log_tail="it broke",
    )  # fmt: skip
    await bench.ledger.RecordEnded(request, NO_CONTEXT)
    job = await bench.job(job_id)
    assert (job.state, job.log_tail) == (job_pb2.Job.STATE_PENDING, "it broke")
    epoch = (await bench.claim(job_id)).lease_epoch
    assert (await bench.job(job_id)).log_tail == "it broke"
    await bench.begin(job_id, epoch)
    assert (await bench.job(job_id)).log_tail == ""
