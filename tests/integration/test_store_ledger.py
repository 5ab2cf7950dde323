"""The ledger of paid calls, on a real Postgres: who may spend, and what is never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import attempt_pb2, failure_pb2, job_pb2
from store.adapters import tables as t
from store.domain.errors import LeaseLost, TransitionRefused

from .store_bench import ACCOUNT, NO_CONTEXT, Bench, store_bench

PENDING, RUNNING = job_pb2.Job.STATE_PENDING, job_pb2.Job.STATE_RUNNING
COMPLETED, FAILED = job_pb2.Job.STATE_COMPLETED, job_pb2.Job.STATE_FAILED
CANCELED = job_pb2.Job.STATE_CANCELED
Attempt = attempt_pb2.Attempt


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def test_a_job_goes_from_submit_to_completed(bench: Bench) -> None:
    """Every step is a revision, and the paid call is on record with its charge."""
    job_id, epoch = await bench.submitted()
    assert not await bench.succeeded(job_id)
    await bench.complete(job_id, epoch)
    job = await bench.job(job_id)
    assert (job.state, job.charge) == (COMPLETED, attempt_pb2.CHARGE_YES)
    assert [attempt.state for attempt in job.attempts] == [Attempt.STATE_SUCCEEDED]
    assert job.artifacts[0].media_type == "image/png"


async def test_a_second_worker_is_never_told_that_it_may_work(bench: Bench) -> None:
    """A doubled message finds nothing to claim; only the same claim repeated gets the same yes."""
    job = await bench.submit()
    first = await bench.claim(job.job_id, token="one", dispatch=0)
    again = await bench.claim(job.job_id, token="one", dispatch=1)
    other = await bench.claim(job.job_id, worker="worker-2", dispatch=1)
    assert again.lease_epoch == first.lease_epoch == 1
    assert other.refusal == lb.REFUSAL_REASON_NOTHING_TO_CLAIM


async def test_workers_that_race_for_one_message_get_one_lease(bench: Bench) -> None:
    """However many claim at the same time, one of them gets the job."""
    job = await bench.submit()
    dispatch = await bench.dispatch_of(job.job_id)
    answers = await asyncio.gather(
        *(bench.claim(job.job_id, worker=f"w{n}", dispatch=dispatch) for n in range(8))
    )
    assert [answer.refusal for answer in answers].count(lb.REFUSAL_REASON_UNSPECIFIED) == 1


async def test_a_permit_repeated_is_the_same_permit(bench: Bench) -> None:
    """BeginSubmit with the same token makes no second attempt, and its time goes on running."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    first = await bench.begin(job.job_id, epoch, token="permit")
    await bench.pass_time(job.job_id, 2)
    second = await bench.begin(job.job_id, epoch, token="permit")
    assert first.attempt == second.attempt == 1
    assert second.send_within.ToTimedelta() < first.send_within.ToTimedelta()


async def test_no_permit_without_the_lease(bench: Bench) -> None:
    """A worker that lost the job can not spend on it."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.pass_time(job.job_id, 60)
    await bench.sweeper.turn()
    await bench.claim(job.job_id, worker="worker-2")
    with pytest.raises(LeaseLost):
        await bench.begin(job.job_id, epoch)


async def test_no_second_permit_while_a_call_may_be_under_way(bench: Bench) -> None:
    """SUBMITTING, UNKNOWN and SUBMITTED all keep another call from being made."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    with pytest.raises(TransitionRefused):
        await bench.begin(job.job_id, epoch)


async def test_a_lease_lost_while_submitting_is_looked_up_not_repeated(bench: Bench) -> None:
    """A worker that died between permit and answer leaves UNKNOWN, with the reconciler."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    await bench.pass_time(job.job_id, 120)
    await bench.sweeper.turn()
    found = await bench.job(job.job_id)
    assert found.attempts[0].state == Attempt.STATE_UNKNOWN
    assert (found.stage, found.charge) == (
        job_pb2.Job.STAGE_RECONCILING,
        attempt_pb2.CHARGE_UNKNOWN,
    )
    assert await bench.column(job.job_id, "mover") == "RECONCILER"


async def test_a_late_answer_is_adopted_whoever_holds_the_lease(bench: Bench) -> None:
    """RecordPrediction checks neither lease nor epoch: the job goes on observing that call."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    await bench.pass_time(job.job_id, 120)
    await bench.sweeper.turn()
    assert not await bench.record(job.job_id)
    adopted = await bench.claim(job.job_id, worker="worker-2")
    assert (adopted.road, adopted.prediction_id) == (lb.ROAD_OBSERVE, f"p-{job.job_id}")


async def test_a_paid_id_that_came_too_late_is_kept_as_an_orphan(bench: Bench) -> None:
    """The job moved on: the id is recorded, the worker told to cancel it, the charge unknown."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    late = bench.tokens[job.job_id]
    await bench.not_created(job.job_id, lb.FAILURE_KIND_NOT_SENT)
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    await bench.record(job.job_id, "second")
    bench.tokens[job.job_id] = late
    assert await bench.record(job.job_id, "first")
    assert await bench.record(job.job_id, "first"), "recording it again is fine"
    states = [attempt.state for attempt in (await bench.job(job.job_id)).attempts]
    assert states == [Attempt.STATE_ORPHAN, Attempt.STATE_SUBMITTED]


async def test_a_lost_worker_s_prediction_is_adopted(bench: Bench) -> None:
    """Another worker observes it; no other call is made."""
    job_id, _ = await bench.submitted()
    await bench.pass_time(job_id, 120)
    await bench.sweeper.turn()
    adopted = await bench.claim(job_id, worker="worker-2")
    assert adopted.road == lb.ROAD_OBSERVE
    refused = await bench.begin(job_id, adopted.lease_epoch)
    assert refused.refusal == lb.REFUSAL_REASON_ATTEMPT_OPEN


async def test_transient_failures_are_retried_and_then_given_up(bench: Bench) -> None:
    """MAX_RETRIES of 3 makes four attempts; the last one's end is the job's, with a dead letter."""
    job = await bench.submit()
    delays = []
    for number in range(1, 5):
        epoch = (await bench.claim(job.job_id)).lease_epoch
        await bench.begin(job.job_id, epoch)
        await bench.record(job.job_id, f"p{number}")
        await bench.ended(job.job_id, lb.FAILURE_KIND_TRANSIENT, prediction_id=f"p{number}")
        found = await bench.job(job.job_id)
        if found.state == PENDING:
            wait = found.next_attempt_time.ToDatetime() - found.update_time.ToDatetime()
            delays.append(wait.total_seconds())
    assert [int(delay) for delay in delays] == [2, 4, 8]
    assert (found.state, len(found.attempts)) == (FAILED, 4)
    assert found.failure.reason == failure_pb2.FAILURE_REASON_PROVIDER_FAILED


@pytest.mark.parametrize(
    "kind", [lb.FAILURE_KIND_RATE, lb.FAILURE_KIND_ACCOUNT, lb.FAILURE_KIND_NOT_SENT]
)
async def test_what_is_not_the_job_s_fault_does_not_count(
    bench: Bench, kind: lb.FailureKind.ValueType
) -> None:
    """401, 402, 429 and calls that were never sent leave MAX_RETRIES as it was."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    await bench.not_created(job.job_id, kind)
    found = await bench.job(job.job_id)
    assert (found.state, found.charge) == (PENDING, attempt_pb2.CHARGE_NO)
    assert await bench.column(job.job_id, "retries") == 0


async def test_a_shut_account_keeps_jobs_unharmed_and_spends_nothing(bench: Bench) -> None:
    """After a 402, admission and permits wait; the job keeps its place and its retries."""
    first, second = await bench.submit(), await bench.submit()
    epochs = {job.job_id: (await bench.claim(job.job_id)).lease_epoch for job in (first, second)}
    await bench.begin(first.job_id, epochs[first.job_id])
    await bench.not_created(first.job_id, lb.FAILURE_KIND_ACCOUNT)
    refused = await bench.begin(second.job_id, epochs[second.job_id])
    assert refused.refusal == lb.REFUSAL_REASON_PROVIDER_SHUT
    await bench.admitter.turn()
    for job in (first, second):
        assert (await bench.job(job.job_id)).state == PENDING
        assert await bench.column(job.job_id, "mover") == "ADMISSION"


async def test_the_rate_is_shared_and_keeps_the_lease(database_url: str) -> None:
    """With one create a second, the second permit of the second waits for its token."""
    async with store_bench(database_url, creates_per_minute=60.0) as bench:
        for expected in (lb.REFUSAL_REASON_UNSPECIFIED, lb.REFUSAL_REASON_RATE):
            job = await bench.submit()
            epoch = (await bench.claim(job.job_id)).lease_epoch
            answer = await bench.begin(job.job_id, epoch)
            assert answer.refusal == expected
        assert timedelta() < answer.retry_after.ToTimedelta() <= timedelta(seconds=1)
        assert await bench.column(job.job_id, "mover") == "LEASE"


async def test_two_requests_that_can_not_be_told_apart_are_never_both_in_doubt(
    bench: Bench,
) -> None:
    """The second of two identical calls waits until the first one's id is known."""
    first, second = await bench.submit(), await bench.submit()
    same = b"f" * 32
    epoch = (await bench.claim(first.job_id)).lease_epoch
    await bench.begin(first.job_id, epoch, fingerprint=same)
    epoch = (await bench.claim(second.job_id)).lease_epoch
    refused = await bench.begin(second.job_id, epoch, fingerprint=same)
    assert refused.refusal == lb.REFUSAL_REASON_DUPLICATE_IN_FLIGHT
    await bench.record(first.job_id)
    epoch = (await bench.claim(second.job_id)).lease_epoch
    assert (await bench.begin(second.job_id, epoch, fingerprint=same)).refusal == 0


async def test_twins_that_ask_at_the_same_instant_get_one_permit(bench: Bench) -> None:
    """The unique index decides where both looked before either wrote."""
    jobs = [await bench.submit() for _ in range(4)]
    epochs = [(await bench.claim(job.job_id)).lease_epoch for job in jobs]
    answers = await asyncio.gather(
        *(
            bench.begin(job.job_id, epoch, fingerprint=b"s" * 32)
            for job, epoch in zip(jobs, epochs, strict=True)
        )
    )
    assert sorted(answer.refusal for answer in answers) == [
        lb.REFUSAL_REASON_UNSPECIFIED,
        *[lb.REFUSAL_REASON_DUPLICATE_IN_FLIGHT] * 3,
    ]


async def test_a_success_is_on_record_before_it_is_saved(bench: Bench) -> None:
    """A worker that dies while saving leaves the outputs; the next one saves them, and pays not."""
    job_id, epoch = await bench.submitted()
    await bench.succeeded(job_id)
    await bench.pass_time(job_id, 120)
    await bench.sweeper.turn()
    saving = await bench.claim(job_id, worker="worker-2")
    assert (saving.road, saving.output.string_value[:8]) == (lb.ROAD_SAVE, "https://")
    with pytest.raises(LeaseLost):
        await bench.complete(job_id, epoch)
    await bench.complete(job_id, saving.lease_epoch)
    await bench.complete(job_id, saving.lease_epoch)
    assert (await bench.job(job_id)).state == COMPLETED


async def test_a_waiting_job_is_canceled_at_once(bench: Bench) -> None:
    """Nothing was sent, so nothing is charged; canceling again changes nothing."""
    job = await bench.submit()
    canceled = await bench.cancel(job.job_id)
    assert (canceled.state, canceled.charge) == (CANCELED, attempt_pb2.CHARGE_NO)
    assert (await bench.cancel(job.job_id)).revision == canceled.revision


async def test_a_cancel_with_a_call_in_flight_waits_for_its_last_word(bench: Bench) -> None:
    """The heartbeat tells the worker; what the provider then says decides."""
    job_id, epoch = await bench.submitted()
    noted = await bench.cancel(job_id)
    assert (noted.state, noted.stage) == (RUNNING, job_pb2.Job.STAGE_CANCELING)
    report = lb.LeaseReport(job_id=job_id, lease_epoch=epoch)
    beat = await bench.ledger.Heartbeat(
        lb.HeartbeatRequest(worker_id="worker-1", slots=1, leases=[report]), NO_CONTEXT
    )
    assert list(beat.cancel_job_ids) == [job_id]
    await bench.ended(job_id, lb.FAILURE_KIND_TRANSIENT, lb.PREDICTION_END_CANCELED, seconds=1.5)
    found = await bench.job(job_id)
    assert (found.state, found.charge) == (CANCELED, attempt_pb2.CHARGE_YES)


async def test_a_success_that_outran_its_cancel_is_kept(bench: Bench) -> None:
    """It was paid for: the job is COMPLETED."""
    job_id, epoch = await bench.submitted()
    await bench.cancel(job_id)
    await bench.succeeded(job_id)
    await bench.complete(job_id, epoch)
    assert (await bench.job(job_id)).state == COMPLETED


async def test_the_deadline_ends_a_job_that_waits(bench: Bench) -> None:
    """Queue time counts."""
    job = await bench.submit()
    await bench.pass_time(job.job_id, 3601)
    await bench.sweeper.turn()
    found = await bench.job(job.job_id)
    assert (found.state, found.failure.reason) == (FAILED, failure_pb2.FAILURE_REASON_DEADLINE)


async def test_a_call_whose_last_word_never_comes_ends_with_its_charge_unknown(
    bench: Bench,
) -> None:
    """An acknowledged job always ends, by its deadline and the settle time."""
    job_id, _ = await bench.submitted()
    await bench.pass_time(job_id, 3601)
    await bench.sweeper.turn()
    assert (await bench.job(job_id)).stage == job_pb2.Job.STAGE_CANCELING
    await bench.pass_time(job_id, 600)
    await bench.sweeper.turn()
    found = await bench.job(job_id)
    assert (found.state, found.charge) == (FAILED, attempt_pb2.CHARGE_UNKNOWN)
    assert found.failure.retry_advice == failure_pb2.RETRY_ADVICE_MAY_PAY_TWICE


async def doubt(bench: Bench) -> tuple[str, int]:
    """A job whose call is UNKNOWN and has settled, and the reconciler's fence."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    await bench.ledger.RecordUnknown(
        lb.RecordUnknownRequest(submit_token=bench.tokens[job.job_id]), NO_CONTEXT
    )
    held = await bench.ledger.LeaseReconciler(
        lb.LeaseReconcilerRequest(worker_id="worker-1", account=ACCOUNT), NO_CONTEXT
    )
    assert [each.submit_token for each in held.attempts] == [bench.tokens[job.job_id]]
    await bench.pass_time(job.job_id, 300)
    return job.job_id, held.epoch


async def scan(bench: Bench, job_id: str, epoch: int, **evidence: object) -> Attempt:
    """One complete scan, and the attempt after it."""
    shown = lb.AttemptEvidence(submit_token=bench.tokens[job_id], **evidence)  # type: ignore[arg-type]
    report = lb.ReportScanRequest(worker_id="worker-1", epoch=epoch, evidence=[shown])
    report.began.GetCurrentTime()
    await bench.ledger.ReportScan(report, NO_CONTEXT)
    await bench.pass_time(job_id, 31)
    return (await bench.job(job_id)).attempts[0]


async def test_one_strong_match_is_adopted(bench: Bench) -> None:
    """The lost call is found, and observed."""
    job_id, epoch = await doubt(bench)
    attempt = await scan(bench, job_id, epoch, strong_prediction_ids=["found"])
    assert (attempt.state, attempt.prediction_id) == (Attempt.STATE_SUBMITTED, "found")
    assert (await bench.claim(job_id)).road == lb.ROAD_OBSERVE


async def test_two_clear_scans_and_a_sign_of_freshness_deny_the_call(bench: Bench) -> None:
    """Then, and not before, another call may be made; it does not count as a retry."""
    job_id, epoch = await doubt(bench)
    attempt = await scan(bench, job_id, epoch, shows_later_prediction=True)
    assert attempt.state == Attempt.STATE_UNKNOWN
    attempt = await scan(bench, job_id, epoch)
    assert attempt.state == Attempt.STATE_NOT_CREATED
    assert (await bench.claim(job_id)).road == lb.ROAD_SUBMIT
    assert await bench.column(job_id, "retries") == 0


async def test_absence_alone_denies_nothing(bench: Bench) -> None:
    """Without a later prediction of ours the listing may be stale, however often it is read."""
    job_id, epoch = await doubt(bench)
    for _ in range(4):
        attempt = await scan(bench, job_id, epoch)
    assert attempt.state == Attempt.STATE_UNKNOWN


async def test_what_can_not_be_told_apart_is_parked(bench: Bench) -> None:
    """Two candidates: nobody guesses, and nothing is paid again."""
    job_id, epoch = await doubt(bench)
    for _ in range(2):
        attempt = await scan(bench, job_id, epoch, weak_candidates=1)
    assert (attempt.state, attempt.charge) == (
        Attempt.STATE_UNRESOLVED,
        attempt_pb2.CHARGE_UNKNOWN,
    )
    canceled = await bench.cancel(job_id)
    assert (canceled.state, canceled.charge) == (CANCELED, attempt_pb2.CHARGE_UNKNOWN)


async def test_scans_of_a_reconciler_that_was_replaced_do_not_count(bench: Bench) -> None:
    """Its fence is old."""
    job_id, epoch = await doubt(bench)
    with pytest.raises(LeaseLost):
        await scan(bench, job_id, epoch + 1)


async def test_heartbeats_keep_what_is_listed_and_name_what_is_lost(bench: Bench) -> None:
    """What another worker holds by now is answered as lost."""
    job_id, epoch = await bench.submitted()
    reports = [
        lb.LeaseReport(
            job_id=job_id, lease_epoch=epoch, stage=job_pb2.Job.STAGE_PROCESSING,
            progress_percent=40,
        )
    ]  # fmt: skip
    beat = lb.HeartbeatRequest(worker_id="worker-1", slots=1, leases=reports)
    assert not (await bench.ledger.Heartbeat(beat, NO_CONTEXT)).lost_job_ids
    assert (await bench.job(job_id)).progress_percent == 40
    stale = lb.HeartbeatRequest(worker_id="worker-2", slots=1, leases=reports)
    assert list((await bench.ledger.Heartbeat(stale, NO_CONTEXT)).lost_job_ids) == [job_id]


async def test_a_job_that_kills_its_workers_is_set_apart_and_given_up(bench: Bench) -> None:
    """After three lost leases it has a queue of its own; with nothing at stake it ends."""
    job = await bench.submit()
    classes = []
    for _ in range(6):
        await bench.claim(job.job_id)
        await bench.pass_time(job.job_id, 400)
        await bench.sweeper.turn()
        classes.append(await bench.column(job.job_id, "work_class"))
    assert classes[:4] == ["default", "default", "quarantine", "quarantine"]
    found = await bench.job(job.job_id)
    assert (found.state, found.failure.reason) == (FAILED, failure_pb2.FAILURE_REASON_INTERNAL)


async def test_a_lease_lost_while_no_store_was_there_is_not_held_against_the_job(
    bench: Bench,
) -> None:
    """Nobody took the heartbeats: the job goes to a worker at once, as often as that happens."""
    job = await bench.submit()
    await bench.sweeper.turn()
    for _ in range(6):
        await bench.claim(job.job_id)
        await bench.pass_time(job.job_id, 400)
        async with bench.database.transaction() as connection:
            away = sa.text("UPDATE singletons SET until = until - '2 days'::interval")
            await connection.execute(away)
        await bench.sweeper.turn()
        assert await bench.column(job.job_id, "takeovers") == 0
    assert await bench.column(job.job_id, "work_class") == "default"
    assert (await bench.job(job.job_id)).state == RUNNING


async def test_a_worker_that_fails_on_a_job_again_and_again_gives_it_up(bench: Bench) -> None:
    """A caught crash counts like a lease lost: the delay grows, and the loop has an end."""
    job = await bench.submit()
    waits = []
    for _ in range(6):
        epoch = (await bench.claim(job.job_id)).lease_epoch
        request = lb.ReleaseJobRequest(job_id=job.job_id, lease_epoch=epoch, failed=True)
        await bench.ledger.ReleaseJob(request, NO_CONTEXT)
        if await bench.column(job.job_id, "mover") == "DISPATCH":
            waits.append(await bench.wait_of(job.job_id))
    assert [round(wait) for wait in waits] == [0, 5, 10, 20, 40]
    assert (await bench.job(job.job_id)).failure.reason == failure_pb2.FAILURE_REASON_INTERNAL


async def test_only_calls_that_were_created_count_for_what_is_transient(bench: Bench) -> None:
    """Refusals that created nothing leave the worker's count of runs as it was."""
    job = await bench.submit()
    for _ in range(2):
        epoch = (await bench.claim(job.job_id)).lease_epoch
        await bench.begin(job.job_id, epoch)
        await bench.not_created(job.job_id, lb.FAILURE_KIND_RATE)
    claimed = await bench.claim(job.job_id)
    assert (claimed.attempt, claimed.created_attempts) == (3, 0)


async def test_a_long_look_of_the_reconciler_counts_unless_another_took_over(bench: Bench) -> None:
    """Its lease may have run out meanwhile; the epoch is the fence."""
    job_id, epoch = await doubt(bench)
    async with bench.database.transaction() as connection:
        await connection.execute(sa.update(t.singletons).values(until=sa.func.now()))
    attempt = await scan(bench, job_id, epoch, strong_prediction_ids=["found"])
    assert attempt.state == Attempt.STATE_SUBMITTED
