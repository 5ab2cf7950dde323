"""What became of a paid call, as facts about the provider.

They need no lease, because a paid id must never be dropped, whoever holds the job by now. They may
come late, doubled and in any order; the first definite end of a call is the one that counts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from store.domain.charging import Metrics, charge_of_end
from store.domain.ending import end_without_call
from store.domain.failure import ProviderFailure
from store.domain.job import Attempt, Job, Leased, end, revise, with_attempt
from store.domain.leasing import redispatch, to_reconciler
from store.domain.retries import RetryPolicy, postponement
from store.domain.spending import await_account, late_success, postpone
from store.domain.states import (
    OCCUPYING,
    AttemptState,
    Charge,
    FailureKind,
    Stage,
    State,
)

#: Closed without knowing how it ended: a fact that comes later is still worth noting.
CLOSED_UNKNOWN = frozenset({AttemptState.UNRESOLVED, AttemptState.WRITTEN_OFF})


def record_prediction(
    job: Job,
    submit_token: str,
    prediction_id: str,
    now: datetime,
    model_version: str | None = None,
) -> Job:
    """The provider answered with an id.

    It becomes the job's live call wherever that can be true, whoever holds the lease by now. Where
    it can not, because the job is final or another call took its place, it is an ORPHAN.
    """
    if job.by_prediction(prediction_id) is not None:
        return job
    attempt = job.by_token(submit_token)
    assert attempt is not None
    rival = job.current
    late = job.final or (rival is not None and rival.number != attempt.number)
    waits_for_id = attempt.prediction_id is None and attempt.state in (
        AttemptState.SUBMITTING,
        AttemptState.UNKNOWN,
        AttemptState.NOT_CREATED,
        AttemptState.UNRESOLVED,
        AttemptState.WRITTEN_OFF,  # no other call was made yet, so none needs to be
    )
    attempt = replace(attempt, model_version=model_version)
    if late or not waits_for_id:
        return _orphan(job, attempt, prediction_id, now)
    live = replace(
        attempt,
        state=AttemptState.SUBMITTED,
        prediction_id=prediction_id,
        input=b"",  # kept only for as long as the call may have to be looked for
        submit_time=now,
        end_time=None,
        failure=None,
        charge=Charge.UNKNOWN,
    )
    if not isinstance(job.mover, Leased):
        job = redispatch(job, now)
    return revise(
        replace(job, takeovers=0, postponements=0),
        now,
        state=State.RUNNING,
        stage=Stage.CANCELING if job.stopping else Stage.STARTING,
        start_time=job.start_time or now,
        next_attempt_time=None,
        failure=None,
        attempts=with_attempt(job, live),
    )


def _orphan(job: Job, attempt: Attempt, prediction_id: str, now: datetime) -> Job:
    if attempt.prediction_id is not None:  # one permit, two ids: keep both on record
        number = max(a.number for a in job.attempts) + 1
        attempt = replace(attempt, number=number, submit_token=f"{attempt.submit_token}+{number}")
    orphan = replace(
        attempt,
        state=AttemptState.ORPHAN,
        prediction_id=prediction_id,
        submit_time=now,
        end_time=None,
        failure=None,
        output=None,
        predict_seconds=None,
        charge=Charge.UNKNOWN,
    )
    return _footnote(job, orphan, now)


def _footnote(job: Job, attempt: Attempt, now: datetime) -> Job:
    """A fact about a call that does not decide about the job.

    The last revision of a final job has been sent: its record is completed, not its history.
    """
    attempts = with_attempt(job, attempt)
    if job.final:
        return replace(job, attempts=attempts)
    return revise(job, now, attempts=attempts)


def record_unknown(job: Job, submit_token: str, now: datetime) -> Job:
    """The answer to the paid call was lost."""
    attempt = job.by_token(submit_token)
    if attempt is None or attempt.state is not AttemptState.SUBMITTING:
        return job
    return to_reconciler(job, now)


def record_not_created(
    job: Job, submit_token: str, failure: ProviderFailure, now: datetime, jitter: float
) -> Job:
    """The paid call definitely created nothing. Only a PERMANENT failure ends the job by that."""
    attempt = job.by_token(submit_token)
    if attempt is None or attempt.state not in (
        AttemptState.SUBMITTING,
        AttemptState.UNKNOWN,
    ):
        return job
    closed = replace(
        attempt,
        state=AttemptState.NOT_CREATED,
        input=b"",  # nobody will look for it any more
        charge=Charge.NO,
        end_time=now,
        failure=failure.failure,
    )
    job = replace(job, takeovers=0, attempts=with_attempt(job, closed))
    if (saving := late_success(job, now)) is not None:
        return saving
    if job.stopping:
        return end_without_call(job, now)
    if failure.kind is FailureKind.PERMANENT:
        return end(job, State.FAILED, now, failure=failure.failure)
    if failure.kind is FailureKind.ACCOUNT:
        return await_account(job, now, failure.failure)
    delay = postponement(job.postponements, failure.retry_after, jitter)
    return postpone(job, now, delay, failure.failure)


def record_succeeded(
    job: Job,
    prediction_id: str,
    output: bytes | None,
    predict_seconds: float | None,
    now: datetime,
    metrics: Metrics = (),
    log_tail: str | None = None,
    model_version: str | None = None,
) -> Job:
    """The prediction ended with a result. From here on no other call is ever made."""
    attempt = job.by_prediction(prediction_id)
    assert attempt is not None
    matters = (
        attempt.state is AttemptState.SUBMITTED
        or (attempt.state is AttemptState.ORPHAN and attempt.end_time is None)
        or (attempt.state in CLOSED_UNKNOWN and attempt.charge is not Charge.YES)
    )
    if not matters:
        return job  # the first definite end is the one that counts
    paid = replace(
        attempt,
        charge=Charge.YES,
        predict_seconds=predict_seconds,
        metrics=metrics,
        end_time=now,
        output=output or b"",  # an empty Value, so that a success can be told from other ends
        model_version=model_version or attempt.model_version,
    )
    rival = job.current
    superseded = rival is not None and rival.number != attempt.number
    if job.final or superseded or attempt.state is AttemptState.WRITTEN_OFF:
        return _footnote(job, paid, now)
    paid = replace(paid, state=AttemptState.SUCCEEDED)
    if not isinstance(job.mover, Leased):
        job = redispatch(job, now)
    return revise(
        replace(job, takeovers=0),
        now,
        state=State.RUNNING,
        stage=Stage.SAVING,
        progress=None,
        log_tail=job.log_tail if log_tail is None else log_tail,
        start_time=job.start_time or now,
        next_attempt_time=None,
        failure=None,
        attempts=with_attempt(job, paid),
    )


def record_ended(
    job: Job,
    prediction_id: str,
    state: AttemptState,
    failure: ProviderFailure,
    predict_seconds: float | None,
    *,
    policy: RetryPolicy,
    now: datetime,
    jitter: float,
    metrics: Metrics = (),
    log_tail: str | None = None,
) -> Job:
    """The prediction ended without a result: a definite end, so another call may follow."""
    attempt = job.by_prediction(prediction_id)
    assert attempt is not None
    charge = charge_of_end(state, predict_seconds)
    ended = replace(
        attempt,
        state=state,
        charge=charge,
        end_time=now,
        failure=failure.failure,
        predict_seconds=predict_seconds,
        metrics=metrics,
    )
    if attempt.state is AttemptState.ORPHAN or job.final:
        open_end = attempt.end_time is None or attempt.state in CLOSED_UNKNOWN
        if not open_end or attempt.charge is not Charge.UNKNOWN:
            return job
        return _footnote(job, replace(ended, state=attempt.state, failure=None), now)
    if attempt.state not in OCCUPYING or attempt.state is AttemptState.SUCCEEDED:
        return job
    job = replace(
        job,
        takeovers=0,
        postponements=0,
        log_tail=job.log_tail if log_tail is None else log_tail,
        attempts=with_attempt(job, ended),
    )
    if (saving := late_success(job, now)) is not None:
        return saving
    if job.stopping or job.deadline <= now:
        return end_without_call(job, now)
    if failure.kind is FailureKind.PERMANENT or policy.exhausted(job.retries):
        return end(job, State.FAILED, now, failure=failure.failure)
    delay = policy.delay(job.retries + 1, failure.retry_after, jitter)
    due = now + delay
    return revise(
        redispatch(replace(job, retries=job.retries + 1), due),
        now,
        state=State.PENDING,
        stage=None,
        progress=None,
        next_attempt_time=due,
        failure=failure.failure,
    )
