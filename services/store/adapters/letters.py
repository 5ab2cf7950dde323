"""Dead letters: what an operator should look at, written with the change that makes it so.

The row follows the job by itself: PARKED while the outcome of its paid call can not be found out,
DEAD once it has failed for a reason that is not its caller's, and what was decided after that. Each
of the first two is also published to the dead-letter queue, for those who want to be told.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.generator.v1.messages_pb2 import DeadLetter
from mediagen.v1.attempt_pb2 import Charge
from store.adapters import tables as t
from store.adapters.projection import failure_message
from store.domain.failure import unresolved
from store.domain.job import Job
from store.domain.states import AttemptState, LetterState


def letter_state(old: Job, new: Job) -> LetterState | None:
    """What the change from *old* to *new* makes of the job's dead letter; None: nothing."""
    if new.parked:
        return None if old.parked else LetterState.PARKED
    if new.redriven_as and not old.redriven_as:
        return LetterState.REDRIVEN
    doubt = old.current if old.parked else None
    decided = doubt is not None and any(
        each.number == doubt.number and each.state is AttemptState.WRITTEN_OFF
        for each in new.attempts
    )
    if new.dead_letter and not old.final:
        return LetterState.DISCARDED if decided else LetterState.DEAD
    if old.parked:
        return LetterState.REDRIVEN if decided else LetterState.RESOLVED
    return None


async def write_letter(connection: AsyncConnection, old: Job, new: Job, now: datetime) -> None:
    """Writes what the change makes of the dead letter. The caller holds the job's lock."""
    state = letter_state(old, new)
    if state in (LetterState.PARKED, LetterState.DEAD):
        await connection.execute(_given_up(_values(new, state, now)))
    elif state is not None:
        await connection.execute(
            sa.update(t.dead_letters)
            .where(t.dead_letters.c.job_id == new.job_id)
            .values(state=str(state), resolve_time=now, charge=str(new.charge))
        )
    elif new.charge is not old.charge:  # there may be a letter of it, from when it was parked
        await connection.execute(
            sa.update(t.dead_letters)
            .where(t.dead_letters.c.job_id == new.job_id)
            .values(charge=str(new.charge))
        )


def _given_up(values: dict[str, Any]) -> sa.Executable:
    """A new letter, or the one of a job that was parked before, to be published again."""
    model = sa.select(t.jobs.c.model).where(t.jobs.c.job_id == values["job_id"])
    statement = insert(t.dead_letters).values(**values, model=model.scalar_subquery())
    changed = {c.name: statement.excluded[c.name] for c in t.dead_letters.c if c.name != "job_id"}
    return statement.on_conflict_do_update(index_elements=["job_id"], set_=changed)


def _values(job: Job, state: LetterState, now: datetime) -> dict[str, Any]:
    failure = job.failure if job.final else unresolved()
    assert failure is not None
    body = DeadLetter(
        job_id=str(job.job_id),
        tenant=job.tenant,
        failure=failure_message(failure),
        attempts=len(job.attempts),
        charge=Charge.Value(f"CHARGE_{job.charge}"),
        parked=state is LetterState.PARKED,
    )
    return {
        "job_id": job.job_id,
        "tenant": job.tenant,
        "state": str(state),
        "reason": failure.reason,
        "charge": str(job.charge),
        "create_time": now,
        "resolve_time": None,
        "body": body.SerializeToString(),
        "available_at": now,
        "publish_time": None,
    }
