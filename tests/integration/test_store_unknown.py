"""Calls whose answer was lost, on a real Postgres: each branch of the verdict, and what a webhook
or a late id makes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import attempt_pb2, job_pb2
from store.adapters import tables as t
from store.domain.errors import PermitUnknown, PredictionTaken

from .store_bench import ACCOUNT, NO_CONTEXT, Bench, store_bench

Attempt = attempt_pb2.Attempt
UNKNOWN, UNRESOLVED = Attempt.STATE_UNKNOWN, Attempt.STATE_UNRESOLVED
NOT_CREATED, SUBMITTED = Attempt.STATE_NOT_CREATED, Attempt.STATE_SUBMITTED
SETTLED = 300.0


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def lost(bench: Bench, *, age: float = SETTLED) -> str:
    """A job whose call's answer was lost *age* seconds ago."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    await unknown(bench, job.job_id)
    await bench.pass_time(job.job_id, age)
    return job.job_id


async def unknown(bench: Bench, job_id: str) -> lb.RecordUnknownResponse:
    request = lb.RecordUnknownRequest(submit_token=bench.tokens[job_id])
    return await bench.ledger.RecordUnknown(request, NO_CONTEXT)


async def reconciler(bench: Bench) -> lb.LeaseReconcilerResponse:
    request = lb.LeaseReconcilerRequest(worker_id="worker-1", account=ACCOUNT)
    return await bench.ledger.LeaseReconciler(request, NO_CONTEXT)


async def scan(bench: Bench, job_id: str, after: float = 31, **evidence: object) -> Attempt:
    """One complete scan, and the attempt *after* seconds later."""
    held = await reconciler(bench)
    shown = lb.AttemptEvidence(submit_token=bench.tokens[job_id], **evidence)  # type: ignore[arg-type]
    report = lb.ReportScanRequest(worker_id="worker-1", epoch=held.epoch, evidence=[shown])
    report.began.CopyFrom(held.store_time)
    await bench.ledger.ReportScan(report, NO_CONTEXT)
    await bench.pass_time(job_id, after)
    return (await bench.job(job_id)).attempts[0]


async def told(bench: Bench, job_id: str, prediction_id: str, token: str = "") -> bool:
    """A webhook names the prediction. True if it came too late."""
    request = lb.RecordPredictionRequest(
        submit_token=token or bench.tokens[job_id], prediction_id=prediction_id, by_webhook=True
    )
    return (await bench.ledger.RecordPrediction(request, NO_CONTEXT)).orphan


async def test_before_it_has_settled_absence_counts_for_nothing(bench: Bench) -> None:
    """The call may still be on its way, or not be listed yet; but what is found is adopted."""
    job_id = await lost(bench, age=0)
    for _ in range(3):
        attempt = await scan(bench, job_id, after=0, shows_later_prediction=True)
        assert attempt.state == UNKNOWN
    assert (await scan(bench, job_id, strong_prediction_ids=["p"])).state == SUBMITTED


async def test_two_looks_in_a_hurry_are_one(bench: Bench) -> None:
    """Thirty seconds have to lie between them."""
    job_id = await lost(bench)
    for _ in range(4):
        attempt = await scan(bench, job_id, after=1, shows_later_prediction=True)
    assert attempt.state == UNKNOWN
    await bench.pass_time(job_id, 31)
    assert (await scan(bench, job_id, shows_later_prediction=True)).state == NOT_CREATED


async def test_a_trace_between_two_clear_looks_starts_the_count_anew(bench: Bench) -> None:
    """The listing is not to be trusted yet."""
    job_id = await lost(bench)
    await scan(bench, job_id, shows_later_prediction=True)
    await scan(bench, job_id, weak_candidates=1)
    assert (await scan(bench, job_id, shows_later_prediction=True)).state == UNKNOWN
    assert (await scan(bench, job_id, shows_later_prediction=True)).state == NOT_CREATED


async def test_without_a_sign_of_freshness_the_call_must_be_dead_by_itself(bench: Bench) -> None:
    """Cancel-After would have ended it by then."""
    job_id = await lost(bench)
    for _ in range(3):
        assert (await scan(bench, job_id)).state == UNKNOWN
    await bench.pass_time(job_id, 1800)
    assert (await scan(bench, job_id)).state == NOT_CREATED


async def test_a_window_older_than_fifty_minutes_proves_nothing(bench: Bench) -> None:
    """Inputs are emptied after an hour: parked, not denied, however clear the listing is."""
    job_id = await lost(bench, age=3001)
    assert (await scan(bench, job_id, shows_later_prediction=True)).state == UNRESOLVED
    job = await bench.job(job_id)
    assert (job.state, job.stage) == (job_pb2.Job.STATE_RUNNING, job_pb2.Job.STAGE_RECONCILING)


async def test_without_any_look_the_sweeper_parks_it_then(bench: Bench) -> None:
    """No reconciler was there, or no listing could be read."""
    job_id = await lost(bench, age=3001)
    await bench.sweeper.turn()
    assert (await bench.job(job_id)).attempts[0].state == UNRESOLVED


async def test_two_that_match_are_parked_and_never_guessed(bench: Bench) -> None:
    """Strong or weak makes no difference: two can not both be it."""
    job_id = await lost(bench)
    for _ in range(2):
        attempt = await scan(bench, job_id, strong_prediction_ids=["p", "q"])
    assert attempt.state == UNRESOLVED
    refused = await bench.dispatch_of(job_id)
    claim = await bench.claim(job_id, dispatch=refused)
    assert claim.refusal == lb.REFUSAL_REASON_NOTHING_TO_CLAIM


async def test_a_parked_call_that_turns_up_goes_on(bench: Bench) -> None:
    """By a listing that got clear, or a webhook."""
    for by_webhook in (False, True):
        job_id = await lost(bench)
        for _ in range(2):
            await scan(bench, job_id, weak_candidates=2)
        if by_webhook:
            assert not await told(bench, job_id, f"p-{job_id}")
        else:
            await scan(bench, job_id, strong_prediction_ids=[f"p-{job_id}"])
        assert (await bench.job(job_id)).attempts[0].state == SUBMITTED
        assert (await bench.claim(job_id)).road == lb.ROAD_OBSERVE


async def test_a_webhook_that_is_faster_than_the_loss_leaves_the_job_to_its_worker(
    bench: Bench,
) -> None:
    """The worker that lost the answer hears the id, and goes on under its lease."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    assert not await told(bench, job.job_id, "p")
    assert (await unknown(bench, job.job_id)).prediction_id == "p"
    assert await bench.column(job.job_id, "mover") == "LEASE"
    assert not await told(bench, job.job_id, "p"), "again is the same as once"
    assert not await bench.record(job.job_id, "p"), "and so is the answer itself"


async def test_a_webhook_with_another_calls_prediction_changes_nothing(bench: Bench) -> None:
    """Nor does one for a call that was never made."""
    first, _ = await bench.submitted()
    second = await bench.submit()
    epoch = (await bench.claim(second.job_id)).lease_epoch
    await bench.begin(second.job_id, epoch)
    before = await bench.job(second.job_id)
    with pytest.raises(PredictionTaken):
        await told(bench, second.job_id, f"p-{first}")
    with pytest.raises(PermitUnknown):
        await told(bench, second.job_id, "new", token="0" * 32)
    assert await bench.job(second.job_id) == before


async def orphan(bench: Bench, prediction_id: str = "late") -> str:
    """A job that was canceled in doubt, and whose call was named after that."""
    job_id = await lost(bench)
    await bench.cancel(job_id)
    await bench.pass_time(job_id, 600)
    await bench.sweeper.turn()
    assert (await bench.job(job_id)).state == job_pb2.Job.STATE_CANCELED
    assert await told(bench, job_id, prediction_id)
    return job_id


async def test_what_came_too_late_is_named_to_the_reconciler_until_its_end(bench: Bench) -> None:
    """Then its charge is known, and the final job shows it without a new revision."""
    job_id = await orphan(bench)
    before = await bench.job(job_id)
    for _ in range(2):
        held = await reconciler(bench)
        named = [(each.job_id, each.prediction_id) for each in held.late_predictions]
        assert named == [(job_id, "late")]
    end = lb.PREDICTION_END_CANCELED
    await bench.ended(job_id, lb.FAILURE_KIND_TRANSIENT, end, prediction_id="late", seconds=2.0)
    assert not (await reconciler(bench)).late_predictions
    job = await bench.job(job_id)
    assert (job.revision, job.charge) == (before.revision, attempt_pb2.CHARGE_YES)
    assert job.attempts[0].charge_reason == attempt_pb2.CHARGE_REASON_RAN_UNTIL_CANCELED


async def test_what_nobody_can_read_is_not_named_for_ever(bench: Bench) -> None:
    """The provider has ended it by itself a while ago; and other accounts' are not ours to ask."""
    job_id = await orphan(bench)
    other = lb.LeaseReconcilerRequest(worker_id="worker-1", account="another")
    assert not (await bench.ledger.LeaseReconciler(other, NO_CONTEXT)).late_predictions
    await bench.pass_time(job_id, 1800)
    assert (await reconciler(bench)).late_predictions
    await bench.pass_time(job_id, 700)
    assert not (await reconciler(bench)).late_predictions


async def test_of_very_many_the_oldest_come_first(bench: Bench) -> None:
    """A turn of the reconciler is bounded."""
    job_id = await orphan(bench)
    rows = t.attempts
    async with bench.database.transaction() as connection:
        found = await connection.execute(sa.select(rows).where(rows.c.job_id == UUID(job_id)))
        row = dict(found.mappings().one())
        for n in range(2, 60):
            more = {"number": n, "submit_token": f"t{n}", "prediction_id": f"late-{n}"}
            await connection.execute(sa.insert(rows).values(**{**row, **more}))
    assert len((await reconciler(bench)).late_predictions) == 50
