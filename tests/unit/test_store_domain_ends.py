"""What becomes of a job by each thing that can happen to it? Tables over the pure verbs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from store.domain import ending, leasing, reconciling, recording, saving, spending
from store.domain.errors import LeaseLost, TransitionRefused
from store.domain.failure import Failure, ProviderFailure, deadline_passed, output_lost
from store.domain.job import Dispatched, Job, Leased, Reconciling, Waiting
from store.domain.retries import RetryPolicy
from store.domain.states import (
    AttemptState,
    Charge,
    FailureKind,
    Refusal,
    Road,
    Stage,
    State,
    WorkClass,
)

from .store_world import kept, unsendable

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE = timedelta(seconds=120)
LIMITS = spending.Limits(SETTLE, timedelta(seconds=600))
LEASE = timedelta(seconds=30)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def waiting(life: float = 3600) -> Job:
    return Job(job_id=UUID(int=1), tenant="t", create_time=T0, update_time=T0, deadline=at(life))


def claimed(job: Job, now: datetime = T0, token: str = "c") -> Job:
    job = leasing.admit(job, now)
    taken = leasing.claim(job, dispatch=job.dispatch, worker="w", token=token, now=now, lease=LEASE)
    assert isinstance(taken, leasing.Claimed)
    return taken.job


def begun(job: Job, now: datetime = T0, token: str = "s") -> spending.Permit | leasing.Refused:
    call = spending.Call(
        submit_token=token, account="a", fingerprint=b"f", input=b"", seed=None,
        post_timeout=timedelta(seconds=20),
    )  # fmt: skip
    return spending.begin_submit(job, job.lease_epoch, call, LIMITS, now)


def told(kind: FailureKind) -> ProviderFailure:
    return ProviderFailure(kind, Failure("FAILURE_REASON_PROVIDER_FAILED", "It failed."))


def ended(job: Job, how: AttemptState, ran: float | None, kind: FailureKind) -> Job:
    return recording.record_ended(
        job, "p", how, told(kind), ran, policy=RetryPolicy(), now=at(9), jitter=0.0
    )


def in_stage(stage: str, life: float = 3600) -> Job:
    """A job that has come as far as *stage*."""
    job = waiting(life)
    if stage == "waiting":
        return job
    if stage == "dispatched":
        return leasing.admit(job, T0)
    job = claimed(job)
    if stage == "claimed":
        return job
    job = begun(job).job
    if stage == "submitting":
        return job
    if stage in ("unknown", "unresolved"):
        job = recording.record_unknown(job, "s", at(1))
        return job if stage == "unknown" else reconciling.expire_doubt(job, at(3001))
    job = recording.record_prediction(job, "s", "p", at(1))
    if stage == "submitted":
        return job
    return recording.record_succeeded(job, "p", b"", 2.0, at(2))


AT_ONCE = [("waiting", Charge.NO), ("dispatched", Charge.NO), ("claimed", Charge.NO)]
IN_FLIGHT = ["submitting", "submitted", "unknown"]
STAGES = ["waiting", "dispatched", "claimed", *IN_FLIGHT, "unresolved", "succeeded"]


@pytest.mark.parametrize(("stage", "charge"), [*AT_ONCE, ("unresolved", Charge.UNKNOWN)])
def test_without_a_call_to_hear_of_cancel_and_deadline_end_at_once(
    stage: str, charge: Charge
) -> None:
    """Nothing was sent, or nobody will ever say what became of it."""
    canceled = ending.cancel(in_stage(stage), at(3200))
    assert (canceled.state, canceled.charge, canceled.mover) == (State.CANCELED, charge, None)
    late = ending.note_deadline(in_stage(stage), at(3600))
    assert (late.state, late.charge) == (State.FAILED, charge)
    assert late.failure == deadline_passed(charge)


@pytest.mark.parametrize("stage", IN_FLIGHT)
def test_with_a_call_in_flight_cancel_and_deadline_are_only_noted(stage: str) -> None:
    """Its last word decides; the mover stays, and a second cancel changes nothing."""
    job = in_stage(stage)
    for stopped in (ending.cancel(job, at(5)), ending.note_deadline(job, at(3600))):
        assert (stopped.state, stopped.stage) == (State.RUNNING, Stage.CANCELING)
        assert (stopped.mover, stopped.revision) == (job.mover, job.revision + 1)
        assert ending.cancel(ending.cancel(stopped, at(9)), at(10)) == ending.cancel(stopped, at(9))


def test_a_success_is_saved_whatever_was_asked_for() -> None:
    """It is paid for."""
    job = ending.note_deadline(ending.cancel(in_stage("succeeded"), at(5)), at(3600))
    assert (job.state, job.stage) == (State.RUNNING, Stage.SAVING)
    assert saving.complete(job, job.lease_epoch, (), None, at(6)).state is State.COMPLETED


@pytest.mark.parametrize("stage", STAGES)
def test_a_final_job_takes_no_verb(stage: str) -> None:
    """Cancel, deadline, expiry and sweeps leave it as it is; fenced verbs are refused."""
    job = ending.end_without_call(ending.cancel(in_stage(stage), at(3200)), at(3201))
    assert ending.cancel(job, at(9999)) is job
    assert ending.note_deadline(job, at(9999)) is job
    assert leasing.expire(job, at(9999)) is job
    assert ending.give_up_waiting(job, at(9999), SETTLE) is job
    assert reconciling.expire_doubt(job, at(9999)) is job
    for verb in (leasing.must_hold, lambda j, e: leasing.release(j, e, LEASE, at(9999))):
        with pytest.raises(LeaseLost):
            verb(job, job.lease_epoch)


@pytest.mark.parametrize("stage", ["claimed", "submitting", "submitted", "unknown"])
def test_only_a_success_can_be_completed(stage: str) -> None:
    """And only by the worker that holds the job."""
    job = in_stage(stage)
    with pytest.raises((TransitionRefused, LeaseLost)):
        saving.complete(job, job.lease_epoch, (), None, at(5))
    paid = in_stage("succeeded")
    with pytest.raises(LeaseLost):
        saving.complete(paid, paid.lease_epoch - 1, (), None, at(5))


@pytest.mark.parametrize(
    ("how", "ran", "charge"),
    [
        (AttemptState.FAILED, None, Charge.UNKNOWN),
        (AttemptState.FAILED, 2.0, Charge.UNKNOWN),
        (AttemptState.FAILED, 0.0, Charge.NO),
        (AttemptState.CANCELED, None, Charge.UNKNOWN),
        (AttemptState.CANCELED, 2.0, Charge.YES),
        (AttemptState.CANCELED, 0.0, Charge.NO),
        (AttemptState.ABORTED, None, Charge.NO),
        (AttemptState.ABORTED, 2.0, Charge.NO),
    ],
)
def test_an_end_without_a_result_costs_by_the_time_it_ran(
    how: AttemptState, ran: float | None, charge: Charge
) -> None:
    """Nothing if it never ran; what a failed run costs is not documented."""
    job = ended(in_stage("submitted"), how, ran, FailureKind.PERMANENT)
    assert (job.state, job.charge, job.attempts[0].charge) == (State.FAILED, charge, charge)


@pytest.mark.parametrize(
    ("kind", "state", "mover", "due"),
    [
        (FailureKind.TRANSIENT, State.PENDING, Dispatched, 10),
        (FailureKind.RATE, State.PENDING, Dispatched, 10),
        (FailureKind.NOT_SENT, State.PENDING, Dispatched, 10),
        (FailureKind.ACCOUNT, State.PENDING, Waiting, None),
        (FailureKind.PERMANENT, State.FAILED, type(None), None),
    ],
)
def test_a_call_that_created_nothing_ends_the_job_only_if_it_always_would(
    kind: FailureKind, state: State, mover: type, due: float | None
) -> None:
    """It costs nothing and never counts; a shut account sends the job back to its place in line."""
    job = recording.record_not_created(in_stage("submitting"), "s", told(kind), at(9), 0.0)
    assert (job.state, type(job.mover), job.charge, job.retries) == (state, mover, Charge.NO, 0)
    assert job.next_attempt_time == (None if due is None else at(due))


def test_the_retries_of_a_failing_prediction_are_counted() -> None:
    """2 s later, with the failure shown; after the last one the job is a dead letter."""
    job = ended(in_stage("submitted"), AttemptState.FAILED, 0.0, FailureKind.TRANSIENT)
    assert (job.state, job.retries, job.mover) == (State.PENDING, 1, Dispatched(at(11)))
    spent = replace(in_stage("submitted"), retries=3)
    over = ended(spent, AttemptState.FAILED, 0.0, FailureKind.TRANSIENT)
    assert (over.state, over.dead_letter) == (State.FAILED, True)


def test_an_end_after_the_deadline_is_the_job_s_end() -> None:
    """A retry that nobody may make is not promised."""
    job = ended(in_stage("submitted", life=8), AttemptState.FAILED, 0.0, FailureKind.TRANSIENT)
    assert (job.state, job.failure) == (State.FAILED, deadline_passed(Charge.NO))


def test_the_first_definite_end_is_the_one_that_counts() -> None:
    """A call that came too late costs what was first said of it, whatever is said afterwards."""
    job = ending.cancel(in_stage("claimed"), at(1))
    over = replace(job, attempts=in_stage("submitting").attempts)
    over = recording.record_prediction(leasing.expire(over, at(99)), "s", "p", at(100))
    stopped = ending.give_up_waiting(ending.cancel(over, at(101)), at(9000), SETTLE)
    late = ended(stopped, AttemptState.CANCELED, 2.0, FailureKind.PERMANENT)
    assert late.charge is Charge.YES
    assert ended(late, AttemptState.ABORTED, 0.0, FailureKind.PERMANENT) is late
    assert recording.record_succeeded(late, "p", b"", 2.0, at(9001)) is late


# Claim, release, expire.


def test_only_the_newest_message_and_the_same_claim_take_the_job() -> None:
    """Another worker, another token and another dispatch find nothing."""
    job = leasing.admit(waiting(), T0)
    first = claimed(waiting())
    asked = {"worker": "w", "token": "c", "now": at(1), "lease": LEASE}
    for dispatch in (job.dispatch - 1, job.dispatch + 1):
        refused = leasing.claim(job, dispatch=dispatch, **asked)  # type: ignore[arg-type]
        assert refused == leasing.Refused(job, Refusal.NOTHING_TO_CLAIM)
    again = leasing.claim(first, dispatch=1, **asked)  # type: ignore[arg-type]
    assert again == leasing.Claimed(first, Road.SUBMIT)
    for other in ({"worker": "v"}, {"token": "d"}):
        other_asked = {**asked, **other}
        refused = leasing.claim(first, dispatch=1, **other_asked)  # type: ignore[arg-type]
        assert refused == leasing.Refused(first, Refusal.NOTHING_TO_CLAIM)


def test_a_message_that_is_not_yet_due_is_honoured() -> None:
    """Its delivery is about to be acked."""
    job = leasing.redispatch(waiting(), at(60))
    taken = leasing.claim(job, dispatch=1, worker="w", token="c", now=T0, lease=LEASE)
    assert isinstance(taken, leasing.Claimed)


def test_a_claim_after_the_deadline_ends_the_job() -> None:
    """Nothing is sent for a job whose time is up."""
    job = leasing.admit(waiting(life=1), T0)
    refused = leasing.claim(job, dispatch=1, worker="w", token="c", now=at(1), lease=LEASE)
    assert isinstance(refused, leasing.Refused)
    assert (refused.reason, refused.job.state) == (Refusal.DEADLINE, State.FAILED)


@pytest.mark.parametrize(
    ("stage", "road"),
    [("claimed", Road.SUBMIT), ("submitted", Road.OBSERVE), ("succeeded", Road.SAVE)],
)
def test_a_job_handed_back_goes_on_by_the_same_road(stage: str, road: Road) -> None:
    """PENDING only where no call is open; the release's delay is kept."""
    job = in_stage(stage)
    back = leasing.release(job, job.lease_epoch, timedelta(seconds=5), at(3))
    assert back.mover == Dispatched(at(8))
    assert back.state is (State.PENDING if road is Road.SUBMIT else State.RUNNING)
    assert leasing.road_of(claimed(back, at(9), "d")) is road


def test_a_job_is_not_handed_back_while_its_call_is_being_sent() -> None:
    """What became of it has to be said first."""
    job = in_stage("submitting")
    with pytest.raises(TransitionRefused):
        leasing.release(job, job.lease_epoch, timedelta(), at(3))


def test_a_lease_expires_after_its_time_and_not_before() -> None:
    """30 s from the claim, unless heartbeats come; a permit stretches it past the call."""
    job = in_stage("claimed")
    assert leasing.expire(job, at(29)) is job
    assert isinstance(leasing.expire(job, at(30)).mover, Dispatched)
    beaten = kept(job, at(20), LEASE)
    assert leasing.expire(beaten, at(49)).mover == Leased("w", "c", at(50))
    sending = in_stage("submitting")
    assert leasing.expire(sending, at(34)) is sending
    lost = leasing.expire(sending, at(35))
    assert (lost.mover, lost.attempts[0].state) == (Reconciling(), AttemptState.UNKNOWN)
    answered = leasing.unstretch(
        recording.record_prediction(sending, "s", "p", at(3)), at(3), LEASE
    )
    assert isinstance(answered.mover, Leased)
    assert answered.mover.until == at(33)


def test_lost_leases_set_a_job_apart_and_then_end_it() -> None:
    """Delays 0, 5, 10, 20, 40 s; alone after three; given up after six with nothing at stake."""
    job, now, waits, classes = waiting(), T0, [], []
    for number in range(6):
        job = claimed(job, now, str(number))
        now += LEASE
        job = leasing.expire(job, now)
        if isinstance(job.mover, Dispatched):
            waits.append((job.mover.due - now).total_seconds())
            classes.append(job.work_class)
            now = job.mover.due
    assert waits == [0, 5, 10, 20, 40]
    assert classes == [WorkClass.DEFAULT] * 2 + [WorkClass.QUARANTINE] * 3
    assert job.state is State.FAILED
    assert job.failure is not None and job.failure.reason == "FAILURE_REASON_INTERNAL"


# Permits and the last sweep.


def with_orphan() -> Job:
    """A call that was thought not created answered late ("p"), beside the one that failed."""
    job = recording.record_not_created(
        in_stage("submitting"), "s", told(FailureKind.NOT_SENT), at(1), 0.0
    )
    job = begun(claimed(job, at(2), "d"), at(2), "s2").job
    job = recording.record_prediction(job, "s2", "p2", at(3))
    return recording.record_prediction(job, "s", "p", at(4))


def retried(job: Job) -> Job:
    """The job after its live call failed, in the hands of the next worker."""
    job = recording.record_ended(
        job, "p2", AttemptState.FAILED, told(FailureKind.TRANSIENT), 0.0,
        policy=RetryPolicy(), now=at(9), jitter=0.0,
    )  # fmt: skip
    return claimed(job, at(12), "e")


def test_no_permit_while_a_call_that_came_too_late_may_still_run() -> None:
    """Until its end is recorded, or its Cancel-After has passed."""
    job = retried(with_orphan())
    refused = begun(job, at(12), "s3")
    assert isinstance(refused, leasing.Refused)
    assert (refused.reason, refused.job.state) == (Refusal.ATTEMPT_OPEN, State.PENDING)
    over = recording.record_ended(
        job, "p", AttemptState.CANCELED, told(FailureKind.PERMANENT), 1.0,
        policy=RetryPolicy(), now=at(13), jitter=0.0,
    )  # fmt: skip
    assert isinstance(begun(over, at(14), "s3"), spending.Permit)
    late = kept(job, at(605), LEASE)
    assert isinstance(begun(late, at(605), "s3"), spending.Permit)


def test_a_late_call_that_succeeded_is_saved_and_not_paid_for_again() -> None:
    """Its result waits beside the live call; when that one fails, it is the job's."""
    job = recording.record_succeeded(with_orphan(), "p", b"out", 2.0, at(5))
    assert (job.stage, job.current and job.current.prediction_id) == (Stage.STARTING, "p2")
    refused = begun(retried(job), at(12), "s3")
    assert isinstance(refused, leasing.Refused)
    assert (refused.reason, refused.job.stage) == (Refusal.ATTEMPT_OPEN, Stage.SAVING)
    paid = claimed(refused.job, at(13), "f")
    assert leasing.road_of(paid) is Road.SAVE
    assert saving.complete(paid, paid.lease_epoch, (), None, at(14)).state is State.COMPLETED


def test_what_can_not_be_sent_fails_free_of_charge() -> None:
    """Only in the hands of who holds it, and once; a cancel that came first is a cancel."""
    job = claimed(waiting())
    ended = spending.fail_unsent(job, job.lease_epoch, unsendable(), at(1))
    assert (ended.state, ended.charge, ended.failure) == (State.FAILED, Charge.NO, unsendable())
    assert (ended.mover, ended.attempts, ended.dead_letter) == (None, (), False)
    assert spending.fail_unsent(ended, job.lease_epoch, unsendable(), at(2)) is ended
    with pytest.raises(LeaseLost):
        spending.fail_unsent(job, job.lease_epoch - 1, unsendable(), at(1))
    asked = replace(job, cancel_request_time=at(1))
    canceled = spending.fail_unsent(asked, job.lease_epoch, unsendable(), at(2))
    assert canceled.state is State.CANCELED


@pytest.mark.parametrize("stage", ["submitted", "succeeded"])
def test_a_job_with_a_call_is_not_failed_as_unsent(stage: str) -> None:
    """Something was sent for it, and may have to be paid for: another worker goes on with that."""
    job = in_stage(stage)
    goes_on = spending.fail_unsent(job, job.lease_epoch, unsendable(), at(5))
    assert (goes_on.state, goes_on.failure) == (State.RUNNING, None)
    assert isinstance(goes_on.mover, Dispatched)
    sending = in_stage("submitting")
    with pytest.raises(TransitionRefused):
        spending.fail_unsent(sending, sending.lease_epoch, unsendable(), at(5))


def test_a_job_that_can_not_be_sent_again_still_gets_what_was_paid_for() -> None:
    """A call that came too late is waited for, and its result is saved."""
    job = retried(with_orphan())
    waits = spending.fail_unsent(job, job.lease_epoch, unsendable(), at(12))
    assert waits.state is State.PENDING
    job = retried(recording.record_succeeded(with_orphan(), "p", b"out", 2.0, at(5)))
    saves = spending.fail_unsent(job, job.lease_epoch, unsendable(), at(12))
    paid = claimed(saves, at(13), "f")
    assert leasing.road_of(paid) is Road.SAVE


def test_no_permit_within_five_seconds_of_the_deadline() -> None:
    """The provider takes no shorter Cancel-After; the job ends, not charged."""
    assert isinstance(begun(claimed(waiting(life=5.5))), spending.Permit)
    refused = begun(claimed(waiting(life=5)))
    assert isinstance(refused, leasing.Refused)
    assert (refused.reason, refused.job.state) == (Refusal.DEADLINE, State.FAILED)


@pytest.mark.parametrize(("life", "cancel_after"), [(100, 100), (600, 600), (3600, 600)])
def test_cancel_after_is_the_time_left_or_the_longest_run(life: float, cancel_after: int) -> None:
    """The provider ends by itself what nobody can reach any more."""
    permit = begun(claimed(waiting(life)))
    assert isinstance(permit, spending.Permit)
    assert permit.attempt.cancel_after == cancel_after


@pytest.mark.parametrize(
    ("stage", "last", "left"),
    [("submitted", 3720, AttemptState.ORPHAN), ("unknown", 3720, AttemptState.UNRESOLVED)],
)
def test_a_last_word_that_never_comes_is_waited_for_until_the_settle_time(
    stage: str, last: float, left: AttemptState
) -> None:
    """Then the job ends with its charge unknown. A known call is still canceled and read back."""
    job = ending.note_deadline(in_stage(stage), at(3600))
    assert ending.give_up_waiting(job, at(last), SETTLE) is job
    over = ending.give_up_waiting(job, at(last + 1), SETTLE)
    assert (over.state, over.charge) == (State.FAILED, Charge.UNKNOWN)
    assert over.attempts[0].state is left


def test_a_cancel_after_the_deadline_waits_no_longer_for_the_last_word() -> None:
    """A job ends by its deadline and the settle time, whatever is asked for afterwards."""
    job = ending.cancel(ending.note_deadline(in_stage("submitted"), at(3600)), at(3700))
    assert ending.give_up_waiting(job, at(3721), SETTLE).state is State.CANCELED


def test_a_success_not_saved_within_the_hour_is_lost_and_was_paid_for() -> None:
    """The provider keeps results for one hour."""
    job = ending.note_deadline(in_stage("succeeded"), at(3600))
    assert ending.give_up_waiting(job, at(3602), SETTLE) is job
    over = ending.give_up_waiting(job, at(3603), SETTLE)
    assert (over.state, over.charge, over.failure) == (State.FAILED, Charge.YES, output_lost())
