"""What a worker does beside its jobs: ends what came too late, and tells what was measured."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from generator.adapters.create import CreateClient, Created
from generator.adapters.endpoint import ProviderError
from generator.worker.reconciler import look_once
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from tests.fakes.generator_bench import FLUX, TOKEN, Rig, generator_rig
from tests.fakes.ledger import FakeAttempt, FakeJob

from .test_generator_reconciler import lost_job


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


async def late_job(rig: Rig, prompt: str) -> FakeJob:
    """A job that is over, and whose call was named after that."""
    given = {"prompt": prompt}
    send_by = time.monotonic() + 5
    made = await rig.parts.creates.create(FLUX, given, cancel_after=600, send_by=send_by)
    assert isinstance(made, Created)
    job = rig.ledger.add(prompt, FLUX, prompt)
    job.attempts.append(FakeAttempt(1, prompt, pb.BeginSubmitRequest(), state="ORPHAN"))
    job.attempts[0].prediction_id = made.prediction.id
    late = pb.LatePrediction(job_id=prompt, prediction_id=made.prediction.id)
    rig.ledger.late.append(late)
    return job


async def test_a_late_run_is_canceled_and_its_end_told(rig: Rig) -> None:
    """With what it cost, though nobody holds its job."""
    rig.sim.set_fault("run", 600)
    rig.sim.set_fault("queue", 0)
    job = await late_job(rig, "late")
    await look_once(rig.parts)
    (told,) = [request for name, request in rig.ledger.calls if name == "RecordEnded"]
    assert told.end == pb.PREDICTION_END_CANCELED
    assert told.predict_seconds == told.metrics["predict_time"] >= 0
    assert job.attempts[0].state == "CANCELED"
    assert [each["status"] for each in rig.sim.ledger()["predictions"]] == ["canceled"]


async def test_a_late_run_that_had_succeeded_is_told_so(rig: Rig) -> None:
    """It is paid for, and the store decides whether the job has a use for it."""
    rig.sim.set_fault("run", 0)
    rig.sim.set_fault("queue", 0)
    await late_job(rig, "late")
    await look_once(rig.parts)
    (told,) = [request for name, request in rig.ledger.calls if name == "RecordSucceeded"]
    assert told.HasField("output")
    assert told.metrics["image_count"] == 1


async def test_one_that_can_not_be_ended_keeps_nothing_from_its_turn(rig: Rig) -> None:
    """Neither the other late ones nor the lost calls; the store names it again."""
    rig.sim.set_fault("run", 600)
    unknown = pb.LatePrediction(job_id="nobody", prediction_id="not-there")
    rig.ledger.late.append(unknown)
    job = await late_job(rig, "late")
    found = await lost_job(rig, "drop_after_create")
    assert len(found.strong_prediction_ids) == 1
    assert job.attempts[0].state == "CANCELED"


@pytest.mark.parametrize("spoiled", ["cut_answer", "html_answer", "broken_answer", "foreign_next"])
async def test_a_part_of_the_list_is_never_taken_for_the_whole(rig: Rig, spoiled: str) -> None:
    """A listing that breaks off, or goes on elsewhere, proves nothing and is not reported."""
    rig.sim.set_fault(spoiled, on="list")
    with pytest.raises(ProviderError):
        await lost_job(rig, "500")
    assert rig.ledger.scans == []


async def test_twins_without_a_seed_are_told_apart_by_their_webhooks(rig: Rig) -> None:
    """Where the listing shows them: the same input, and each its own."""
    url = "http://127.0.0.1:1"
    for n in range(2):
        job = rig.ledger.add(f"twin-{n}", FLUX, "a twin", seed=7)
        async with CreateClient(rig.sim.base_url, TOKEN, webhook_url=url) as creates:
            token, given = f"token-{n}", {"prompt": "a twin", "seed": 7}
            made = await creates.create(
                FLUX, given, cancel_after=600, send_by=time.monotonic() + 5, submit_token=token
            )
        assert isinstance(made, Created)
        permit = pb.BeginSubmitRequest(submit_token=token)
        permit.input.update(given)
        job.attempts.append(FakeAttempt(1, token, permit))
        rig.ledger.lose(job.attempts[0])
    await look_once(rig.parts)
    made_ids = [each["id"] for each in rig.sim.ledger()["predictions"]]
    found = {each.submit_token: each for each in rig.ledger.scans[-1].evidence}
    for n in range(2):
        assert list(found[f"token-{n}"].strong_prediction_ids) == [made_ids[n]]
        assert found[f"token-{n}"].weak_candidates == 0


async def test_what_the_provider_measured_goes_to_the_ledger(rig: Rig) -> None:
    """By its own names, on every end."""
    job = rig.ledger.add("j1", FLUX, "measured")
    await rig.run(job)
    measured = job.attempts[0].metrics
    assert set(measured) == {"image_count", "predict_time", "total_time"}
    rig.sim.set_fault("fail", "E9828", count=1)
    failed = rig.ledger.add("j2", FLUX, "measured too")
    await rig.run(failed)
    assert set(failed.attempts[0].metrics) == {"predict_time", "total_time"}
