"""What becomes of a call whose answer was lost: adopted, not created, or unresolved.

Adopt early, deny late. Absence from the provider's listing proves nothing until the call has had
time to be sent, answered and listed; then two complete scans must show no trace of it, one of
them with a later prediction of ours, as a sign that the listing is fresh. Without that sign, the
call must be past the moment at which the provider would have ended it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from store.domain.ending import end_without_call
from store.domain.failure import Failure, ProviderFailure
from store.domain.job import Attempt, Job, Reconciling, revise, with_attempt
from store.domain.recording import record_not_created, record_prediction
from store.domain.states import AttemptState, FailureKind

#: A call that was written off may run beside the one that took its place: it is still looked for.
LOOKED_FOR = frozenset({AttemptState.UNKNOWN, AttemptState.UNRESOLVED, AttemptState.WRITTEN_OFF})
WINDOW = timedelta(minutes=50)  #: the provider empties inputs after an hour


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one complete scan of the provider's listing showed of one attempt."""

    began: datetime
    strong: tuple[str, ...]  #: predictions that can only be this attempt
    weak: int  #: other predictions that could be
    shows_later: bool  #: the listing held a prediction of ours made after this one


def weigh(
    job: Job,
    submit_token: str,
    evidence: Evidence,
    now: datetime,
    gap: timedelta,
    jitter: float,
) -> Job:
    """The job after one more scan. *gap* is the least time between two scans that count."""
    attempt = job.by_token(submit_token)
    if attempt is None or attempt.prediction_id is not None or attempt.state not in LOOKED_FOR:
        return job
    if len(evidence.strong) == 1:
        return record_prediction(job, submit_token, evidence.strong[0], now)
    if attempt.state is not AttemptState.UNKNOWN or not isinstance(job.mover, Reconciling):
        return job
    if now - attempt.create_time > WINDOW:
        return _unresolved(job, attempt, now)
    if evidence.began < attempt.settle_until:
        return job
    if attempt.last_scan_time and evidence.began - attempt.last_scan_time < gap:
        return job
    return _count(job, attempt, evidence, now, jitter)


def expire_doubt(job: Job, now: datetime) -> Job:
    """An outcome that is still not known when the listing can not show it any more."""
    attempt = job.current
    if attempt is None or attempt.state is not AttemptState.UNKNOWN:
        return job
    return _unresolved(job, attempt, now) if now - attempt.create_time > WINDOW else job


def _count(job: Job, attempt: Attempt, evidence: Evidence, now: datetime, jitter: float) -> Job:
    clear = not evidence.strong and evidence.weak == 0
    attempt = replace(
        attempt,
        clear_scans=attempt.clear_scans + 1 if clear else 0,
        unclear_scans=0 if clear else attempt.unclear_scans + 1,
        seen_later=clear and (attempt.seen_later or evidence.shows_later),
        last_scan_time=evidence.began,
    )
    job = replace(job, attempts=with_attempt(job, attempt))
    if attempt.unclear_scans >= 2:
        return _unresolved(job, attempt, now)
    dead_by_itself = attempt.settle_until + timedelta(seconds=attempt.cancel_after) < evidence.began
    if attempt.clear_scans >= 2 and (attempt.seen_later or dead_by_itself):
        return record_not_created(job, attempt.submit_token, NOT_CREATED, now, jitter)
    return job


def _unresolved(job: Job, attempt: Attempt, now: datetime) -> Job:
    parked = replace(attempt, state=AttemptState.UNRESOLVED, end_time=now)
    job = replace(job, attempts=with_attempt(job, parked))
    return end_without_call(job, now) if job.stopping else revise(job, now)


NOT_CREATED = ProviderFailure(
    FailureKind.NOT_SENT,
    Failure(
        "FAILURE_REASON_PROVIDER_FAILED",
        "The answer to the call was lost; the provider's listing shows that nothing was created.",
        "RETRY_ADVICE_RETRY",
    ),
)
