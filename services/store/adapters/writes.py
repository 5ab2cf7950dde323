"""What a change writes: the job's row, attempts, dispatch, event, artifacts and dead letter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from jobqueue.topology import level_for
from store.adapters import tables as t
from store.adapters.artifact_writes import write_artifacts
from store.adapters.letters import write_letter
from store.adapters.projection import job_message
from store.adapters.rows import failure_json
from store.domain.deliveries import event_type
from store.domain.job import Attempt, Dispatched, Job, Leased, Reconciling, Waiting


def _written(table: sa.Table, fixed: set[str], key: list[str]) -> sa.Executable:
    """A new row of *table*, or the same row with all but its *fixed* columns as given."""
    statement = insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in fixed}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


# Built once: to build and compare statements of so many columns takes longer than to run them.
# What is set is in the parameters.
_UPDATE = sa.update(t.jobs).where(
    t.jobs.c.job_id == sa.bindparam("old_job_id"),
    t.jobs.c.revision == sa.bindparam("old_revision"),
    t.jobs.c.state == sa.bindparam("old_state"),
    t.jobs.c.lease_epoch == sa.bindparam("old_lease_epoch"),
)
_EVENT = sa.insert(t.events)
_ATTEMPT = _written(
    t.attempts,
    fixed={
        "job_id", "number", "tenant", "submit_token", "account", "fingerprint", "in_doubt",
    },
    key=["tenant", "job_id", "number"],
)  # fmt: skip
_DISPATCH = _written(t.dispatches, fixed=set(), key=["job_id"])
_UNDISPATCH = sa.delete(t.dispatches).where(t.dispatches.c.job_id == sa.bindparam("old_job_id"))


async def write(connection: AsyncConnection, old: Job, new: Job, now: datetime) -> None:
    """Writes what differs between *old* and *new*. The caller holds the job's lock."""
    view = job_message(new).SerializeToString()
    expected = {
        "old_job_id": old.job_id,
        "old_revision": old.revision,
        "old_state": str(old.state),
        "old_lease_epoch": old.lease_epoch,
    }
    done = await connection.execute(_UPDATE, {**expected, "view": view, **_job_values(new)})
    assert done.rowcount == 1, "the job changed under its lock"
    known = {attempt.number: attempt for attempt in old.attempts}
    for attempt in new.attempts:
        if attempt != known.get(attempt.number):
            await _write_attempt(connection, new, attempt)
    await _write_dispatch(connection, old, new, now)
    if new.revision != old.revision:
        await connection.execute(_EVENT, _event_values(old, new, view))
    if new.artifacts != old.artifacts:
        await write_artifacts(connection, old, new, now)
    await write_letter(connection, old, new, now)


def _job_values(job: Job) -> dict[str, Any]:
    lease = job.mover if isinstance(job.mover, Leased) else None
    # Nothing is sent any more for a job that is final.
    wiped: dict[str, Any] = {"secrets": None} if job.final else {}
    return wiped | {
        "state": str(job.state),
        "stage": str(job.stage) if job.stage else None,
        "progress": job.progress,
        "revision": job.revision,
        "mover": mover_word(job),
        "dispatch": job.dispatch,
        "lease_epoch": job.lease_epoch,
        "lease_owner": lease.owner if lease else None,
        "lease_token": lease.token if lease else None,
        "lease_until": lease.until if lease else None,
        "work_class": str(job.work_class),
        "retries": job.retries,
        "postponements": job.postponements,
        "takeovers": job.takeovers,
        "update_time": job.update_time,
        "start_time": job.start_time,
        "end_time": job.end_time,
        "next_attempt_time": job.next_attempt_time,
        "cancel_request_time": job.cancel_request_time,
        "deadline_noted": job.deadline_noted,
        "failure": failure_json(job.failure),
        "output": job.output,
        "log_tail": job.log_tail,
        "redriven_as": job.redriven_as,
    }


def mover_word(job: Job) -> str | None:
    """Who moves the job on, as the database says it."""
    match job.mover:
        case Waiting():
            return "ADMISSION"
        case Dispatched():
            return "DISPATCH"
        case Leased():
            return "LEASE"
        case Reconciling():
            return "RECONCILER"
    return None


def _event_values(old: Job, new: Job, view: bytes) -> dict[str, Any]:
    return {
        "job_id": new.job_id,
        "revision": new.revision,
        "tenant": new.tenant,
        "view": view,
        "create_time": new.update_time,
        "previous_state": str(old.state),
        "type": event_type(old, new),
    }


async def _write_attempt(connection: AsyncConnection, job: Job, attempt: Attempt) -> None:
    values = {
        "job_id": job.job_id,
        "number": attempt.number,
        "tenant": job.tenant,
        "state": str(attempt.state),
        "submit_token": attempt.submit_token,
        "account": attempt.account,
        "fingerprint": attempt.fingerprint,
        "input": attempt.input,
        "seed": attempt.seed,
        "cancel_after": attempt.cancel_after,
        "create_time": attempt.create_time,
        "send_by": attempt.send_by,
        "settle_until": attempt.settle_until,
        "prediction_id": attempt.prediction_id,
        "submit_time": attempt.submit_time,
        "end_time": attempt.end_time,
        "output": attempt.output,
        "failure": failure_json(attempt.failure),
        "charge": str(attempt.charge),
        "predict_seconds": attempt.predict_seconds,
        "metrics": dict(attempt.metrics),
        "clear_scans": attempt.clear_scans,
        "unclear_scans": attempt.unclear_scans,
        "last_scan_time": attempt.last_scan_time,
        "seen_later": attempt.seen_later,
        "model_version": attempt.model_version,
    }
    await connection.execute(_ATTEMPT, values)


async def _write_dispatch(connection: AsyncConnection, old: Job, new: Job, now: datetime) -> None:
    if isinstance(new.mover, Dispatched):
        if isinstance(old.mover, Dispatched) and new.dispatch == old.dispatch:
            return
        await connection.execute(_DISPATCH, dispatch_values(new, new.mover, now))
    elif isinstance(old.mover, Dispatched):
        await connection.execute(_UNDISPATCH, {"old_job_id": old.job_id})


def dispatch_values(job: Job, mover: Dispatched, now: datetime) -> dict[str, Any]:
    """The dispatch row: the longest retry queue that is not too long; the rest waits here."""
    level = level_for((mover.due - now).total_seconds())
    wait = timedelta(seconds=level.seconds) if level else timedelta()
    return {
        "job_id": job.job_id,
        "tenant": job.tenant,
        "dispatch": job.dispatch,
        "work_class": str(job.work_class),
        "level": level.name if level else None,
        "due": mover.due,
        "available_at": mover.due - wait,
        "published": 0,
        "relay_until": None,
    }
