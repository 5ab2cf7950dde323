"""Artifacts are listed one by one, as they are stored, by the worker that holds the job."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import failure_pb2, job_pb2
from store.adapters import tables as t
from store.domain.errors import ArtifactNotFound, LeaseLost, TransitionRefused

from .operator_bench import desk_at
from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench

SAVING = job_pb2.Job.STAGE_SAVING
COMPLETED, FAILED = job_pb2.Job.STATE_COMPLETED, job_pb2.Job.STATE_FAILED


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


def stored(job_id: str, epoch: int, index: int) -> lb.StoredArtifact:
    artifact = job_pb2.Artifact(
        index=index, media_type="image/png", size_bytes=3 + index, sha256="ab" * 32,
        output_path=f"[{index}]",
    )  # fmt: skip
    return lb.StoredArtifact(artifact=artifact, object_key=f"{job_id}/{epoch}/{index}.png")


async def list_(bench: Bench, job_id: str, epoch: int, *indexes: int) -> None:
    artifacts = [stored(job_id, epoch, index) for index in indexes]
    request = lb.RecordArtifactsRequest(job_id=job_id, lease_epoch=epoch, artifacts=artifacts)
    await bench.ledger.RecordArtifacts(request, NO_CONTEXT)


async def complete(bench: Bench, job_id: str, epoch: int, *indexes: int) -> None:
    artifacts = [stored(job_id, epoch, index) for index in indexes]
    request = lb.CompleteJobRequest(job_id=job_id, lease_epoch=epoch, artifacts=artifacts)
    await bench.ledger.CompleteJob(request, NO_CONTEXT)


async def fail_saving(bench: Bench, job_id: str, epoch: int) -> None:
    failure = failure_pb2.Failure(
        reason=failure_pb2.FAILURE_REASON_OUTPUT_LOST, message="It is gone."
    )
    request = lb.FailSavingRequest(job_id=job_id, lease_epoch=epoch, failure=failure)
    await bench.ledger.FailSaving(request, NO_CONTEXT)


async def saving(bench: Bench) -> tuple[str, int]:
    """A job whose call has succeeded, and the fence of the worker that saves its result."""
    job_id, epoch = await bench.submitted()
    await bench.succeeded(job_id)
    return job_id, epoch


async def adopted(bench: Bench, job_id: str) -> lb.ClaimJobResponse:
    """The worker was lost; another has the job."""
    await bench.pass_time(job_id, 60)
    await bench.sweeper.turn()
    return await bench.claim(job_id, worker="worker-2")


async def key_of(bench: Bench, job_id: str, index: int) -> str:
    request = sb.GetArtifactRequest(tenant=TENANT, job_id=job_id, index=index)
    return (await bench.store.GetArtifact(request, NO_CONTEXT)).object_key


async def test_an_artifact_is_there_as_soon_as_it_is_listed(bench: Bench) -> None:
    """In the job, by a revision of its own, and to be downloaded, while the others are stored."""
    job_id, epoch = await saving(bench)
    before = await bench.job(job_id)
    await list_(bench, job_id, epoch, 1)
    job = await bench.job(job_id)
    assert (job.state, job.stage) == (before.state, SAVING)
    assert job.revision == before.revision + 1
    assert [each.index for each in job.artifacts] == [1]
    assert await key_of(bench, job_id, 1) == f"{job_id}/{epoch}/1.png"
    with pytest.raises(ArtifactNotFound):
        await key_of(bench, job_id, 0)
    await list_(bench, job_id, epoch, 0)
    await complete(bench, job_id, epoch, 0, 1, 2)
    job = await bench.job(job_id)
    assert (job.state, job.revision) == (COMPLETED, before.revision + 3)
    assert [each.index for each in job.artifacts] == [0, 1, 2]
    assert [each.size_bytes for each in job.artifacts] == [3, 4, 5]


async def test_listing_again_changes_nothing(bench: Bench) -> None:
    """Not while the job runs, and not once it is done."""
    job_id, epoch = await saving(bench)
    await list_(bench, job_id, epoch, 0, 1)
    listed = await bench.job(job_id)
    for indexes in ((0, 1), (1,), ()):
        await list_(bench, job_id, epoch, *indexes)
    assert await bench.job(job_id) == listed
    await complete(bench, job_id, epoch, 0, 1)
    done = await bench.job(job_id)
    await list_(bench, job_id, epoch, 0, 1)
    assert await bench.job(job_id) == done
    with pytest.raises(LeaseLost):
        await list_(bench, job_id, epoch, 2)


async def test_a_later_worker_is_told_what_is_stored_and_what_is_listed_stays(
    bench: Bench,
) -> None:
    """It may have been downloaded already: the same place stored again is not taken."""
    job_id, first = await saving(bench)
    await list_(bench, job_id, first, 0)
    claim = await adopted(bench, job_id)
    assert claim.road == lb.ROAD_SAVE
    assert list(claim.stored_artifacts) == [stored(job_id, first, 0)]
    await list_(bench, job_id, claim.lease_epoch, 0, 1)
    assert await key_of(bench, job_id, 0) == f"{job_id}/{first}/0.png"
    await complete(bench, job_id, claim.lease_epoch, 0, 1, 2)
    keys = [await key_of(bench, job_id, index) for index in range(3)]
    assert keys == [
        f"{job_id}/{first}/0.png",
        f"{job_id}/{claim.lease_epoch}/1.png",
        f"{job_id}/{claim.lease_epoch}/2.png",
    ]


async def test_what_is_listed_is_the_job_s_even_if_the_last_worker_does_not_name_it(
    bench: Bench,
) -> None:
    """CompleteJob adds what is new; it takes nothing away."""
    job_id, first = await saving(bench)
    await list_(bench, job_id, first, 0)
    claim = await adopted(bench, job_id)
    await complete(bench, job_id, claim.lease_epoch, 1)
    assert [each.index for each in (await bench.job(job_id)).artifacts] == [0, 1]


async def test_a_worker_without_the_lease_lists_nothing(bench: Bench) -> None:
    """Its objects lie under keys of their own, which nobody names."""
    job_id, epoch = await saving(bench)
    claim = await adopted(bench, job_id)
    with pytest.raises(LeaseLost):
        await list_(bench, job_id, epoch, 0)
    assert not (await bench.job(job_id)).artifacts
    await list_(bench, job_id, claim.lease_epoch, 0)


async def test_nothing_is_listed_before_the_call_has_succeeded(bench: Bench) -> None:
    """An output that is shown early may still change."""
    job_id, epoch = await bench.submitted()
    with pytest.raises(TransitionRefused):
        await list_(bench, job_id, epoch, 0)


async def test_a_job_that_could_not_be_saved_keeps_what_it_has(bench: Bench) -> None:
    """Also when its record is completed later, and when nobody saved the rest for an hour."""
    job_id, epoch = await saving(bench)
    await list_(bench, job_id, epoch, 0)
    await fail_saving(bench, job_id, epoch)
    late, left = await saving(bench)
    await list_(bench, late, left, 0)
    await bench.cancel(late)
    await bench.pass_time(late, 3700)
    await bench.sweeper.turn()
    for each in (job_id, late):
        job = await bench.job(each)
        assert (job.state, len(job.artifacts)) == (FAILED, 1)
        assert await key_of(bench, each, 0)


async def test_a_job_that_is_made_again_keeps_what_it_has(database_url: str) -> None:
    """Its call is written off then, and the new job begins with nothing."""
    async with desk_at(database_url) as desk:
        job_id, epoch = await saving(desk.bench)
        await list_(desk.bench, job_id, epoch, 0)
        await fail_saving(desk.bench, job_id, epoch)
        (done,) = await desk.redrive(job_id, force=True)
        old, new = await desk.bench.job(job_id), await desk.bench.job(done.redriven_as)
        assert old.redriven_as == new.job_id
        assert ([each.index for each in old.artifacts], len(new.artifacts)) == ([0], 0)
        assert await key_of(desk.bench, job_id, 0)


async def test_events_say_what_webhooks_call_them_and_the_state_before(bench: Bench) -> None:
    """Written with the change itself, for filters and deliveries."""
    job_id, epoch = await saving(bench)
    await list_(bench, job_id, epoch, 0)
    await complete(bench, job_id, epoch, 0)
    events = t.events.c
    query = sa.select(events.type, events.previous_state).order_by(events.revision)
    async with bench.database.single() as connection:
        rows = [tuple(row) for row in await connection.execute(query)]
    assert rows == [
        (None, None),  # submitted
        ("job.started", "PENDING"),  # claimed
        (None, "RUNNING"),  # the permit
        (None, "RUNNING"),  # the provider's id
        (None, "RUNNING"),  # succeeded
        ("job.artifact_stored", "RUNNING"),
        ("job.completed", "RUNNING"),
    ]
