"""What must be true of every job at every commit, restated from the tables and the promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from store.adapters.projection import job_message
from store.domain import leasing
from store.domain.charging import charge_reason
from store.domain.job import Artifact, Dispatched, Job, Leased, Reconciling, Waiting
from store.domain.states import FINAL, OCCUPYING, OPEN, AttemptState, Charge, State

LEGAL = {
    (State.PENDING, Waiting),
    (State.PENDING, Dispatched),
    (State.RUNNING, Dispatched),
    (State.RUNNING, Leased),
    (State.RUNNING, Reconciling),
    *((state, type(None)) for state in FINAL),
}
OVER = {
    AttemptState.NOT_CREATED,
    AttemptState.FAILED,
    AttemptState.CANCELED,
    AttemptState.ABORTED,
    AttemptState.WRITTEN_OFF,
}


def constraints(job: Job) -> dict[str, bool]:
    """Every CHECK constraint and partial index of `store.adapters.tables`, restated."""
    final, state, mover = job.final, job.state, job.mover
    rules = {
        "one_mover_unless_final": final == (mover is None),
        "end_time_if_final": final == (job.end_time is not None),
        "stage_while_running": job.stage is None or state is State.RUNNING,
        "started": state is not State.RUNNING or job.start_time is not None,
        "failed_for_a_reason": state is not State.FAILED or job.failure is not None,
        "leased_while_running": not isinstance(mover, Leased) or state is State.RUNNING,
        "reconciled_running": not isinstance(mover, Reconciling) or state is State.RUNNING,
        "asked": state is not State.CANCELED or job.cancel_request_time is not None,
        "progress": job.progress is None or 0 <= job.progress <= 100,
        "one_per_job": sum(a.state in OCCUPYING for a in job.attempts) <= 1,
        "final_is_quiet": not final or not any(a.state in OPEN for a in job.attempts),
        "submitting_is_leased": final
        or isinstance(mover, Leased)
        or not any(a.state is AttemptState.SUBMITTING for a in job.attempts),
        "pending_has_no_call": state is not State.PENDING or job.current is None,
        "listed_after_a_success": not job.artifacts
        or any(a.output is not None for a in job.attempts),
        "listed_by_index": [a.index for a in job.artifacts]
        == sorted({a.index for a in job.artifacts}),
    }
    doubted = job.current is not None and job.current.state in (
        AttemptState.UNKNOWN, AttemptState.UNRESOLVED,
    )  # fmt: skip
    rules["reconciler_iff_doubt"] = final or doubted == isinstance(mover, Reconciling)
    created = {*OVER, AttemptState.SUBMITTED, AttemptState.SUCCEEDED, AttemptState.ORPHAN}
    created -= {AttemptState.NOT_CREATED, AttemptState.WRITTEN_OFF}
    for a in job.attempts:
        free = (AttemptState.NOT_CREATED, AttemptState.ABORTED)
        none = (AttemptState.SUBMITTING, AttemptState.UNKNOWN, AttemptState.NOT_CREATED)
        paid = a.state is not AttemptState.SUCCEEDED or a.charge is Charge.YES
        rules[f"{a.number} id_if_created"] = a.prediction_id is not None or a.state not in created
        rules[f"{a.number} no_id_if_not"] = a.prediction_id is None or a.state not in none
        rules[f"{a.number} success_is_paid"] = paid
        rules[f"{a.number} free"] = a.state not in free or a.charge is Charge.NO
        told = charge_reason(a) != "CHARGE_REASON_UNSPECIFIED"
        rules[f"{a.number} charged_for_a_reason"] = told or a.end_time is None
    return rules


def check_step(old: Job, new: Job) -> None:
    """What holds of every change from *old* to *new*, whatever verb made it."""
    assert new.revision - old.revision in (0, 1)
    assert new.dispatch >= old.dispatch
    assert new.lease_epoch >= old.lease_epoch
    if old.final:
        # Its record may be completed: what its calls cost, and which job makes it again.
        same = replace(new, attempts=old.attempts, redriven_as=old.redriven_as)
        assert same == old, "a final job changed"
        assert old.redriven_as in (None, new.redriven_as)
    elif new.revision == old.revision:
        assert job_message(new) == job_message(old), "seen by no watcher"
    assert set(old.artifacts) <= set(new.artifacts), "what was listed is gone or another"
    if new.artifacts != old.artifacts:
        assert is_saving(old), "listed before the call has succeeded"
        assert old.holds(new.lease_epoch), "listed without the lease"
        assert new.revision == old.revision + 1
    quiet = replace(
        new, progress=old.progress, log_tail=old.log_tail, revision=old.revision,
        update_time=old.update_time,
    )  # fmt: skip
    if new.revision > old.revision and quiet == old:
        assert new.update_time - old.update_time >= leasing.SHOW_EVERY, "progress too often"
    later = {a.number: a for a in new.attempts}
    for a in old.attempts:
        assert a.charge is not Charge.YES or later[a.number].charge is Charge.YES
    broken = [name for name, holds in constraints(new).items() if not holds]
    assert not broken, broken


def check_permit(job: Job, now: datetime) -> None:
    """By the ledger, each earlier call of *job* is definitely over, or an operator closed it."""
    assert not job.stopping
    assert isinstance(job.mover, Leased)
    assert job.mover.until > now
    for a in job.attempts:
        ended = a.end_time is not None or (
            a.submit_time is not None and now > a.submit_time + timedelta(seconds=a.cancel_after)
        )
        assert a.state in OVER or (a.state is AttemptState.ORPHAN and ended), a.state
        closed = a.state is AttemptState.WRITTEN_OFF
        assert closed or a.output is None, "paid again after a success that was recorded"


def spends(old: Job, new: Job) -> bool:
    """The change gave a permit."""
    fresh = [a for a in new.attempts if a.number > len(old.attempts)]
    return any(a.state is AttemptState.SUBMITTING for a in fresh)


def in_doubt(attempt: Any) -> bool:
    doubted = (AttemptState.SUBMITTING, AttemptState.UNKNOWN, AttemptState.UNRESOLVED)
    return attempt.state in doubted and attempt.prediction_id is None


def artifact(index: int, epoch: int) -> Artifact:
    """An output as a worker stored it, under a key of its own."""
    return Artifact(
        index=index, object_key=f"{epoch}/{index}", media_type="image/png", size_bytes=3,
        sha256="ab" * 32, output_path="",
    )  # fmt: skip


def is_saving(job: Job) -> bool:
    return job.current is not None and job.current.state is AttemptState.SUCCEEDED
