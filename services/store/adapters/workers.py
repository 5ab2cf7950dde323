"""Workers and their leases, many at a time: one heartbeat keeps all of a worker's jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from store.adapters import tables as t
from store.adapters.database import CLOCK, Database

HEARD_OF = timedelta(seconds=30)  #: a worker that was silent for longer has no slots
FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A lease that goes on, and what the job shows so far."""

    job_id: UUID
    stopping: bool
    stage: str | None
    progress: int | None
    log_tail: str


class Workers:
    """What the store knows of its workers."""

    def __init__(self, database: Database, lease: timedelta) -> None:
        self._database = database
        self._lease = lease

    async def seen(self, worker_id: str, slots: int, running: int, simulated: bool) -> None:
        """The worker is alive."""
        known = {"slots": slots, "running": running, "simulated": simulated, "seen_time": CLOCK}
        statement = insert(t.workers).values(worker_id=worker_id, **known)
        statement = statement.on_conflict_do_update(
            index_elements=["worker_id"],
            set_={name: statement.excluded[name] for name in known},
        )
        async with self._database.single("see_worker") as connection:
            await connection.execute(statement)

    async def keep(self, worker_id: str, leases: dict[UUID, int]) -> dict[UUID, Kept]:
        """Keeps the leases (job → epoch) that the worker still holds. What is missing is lost."""
        if not leases:
            return {}
        jobs = t.jobs.c
        query = (
            sa.select(
                jobs.job_id, jobs.lease_epoch, jobs.stage, jobs.progress, jobs.log_tail,
                jobs.cancel_request_time, jobs.deadline_noted, jobs.deadline,
            )
            .where(jobs.job_id.in_(list(leases)), jobs.lease_owner == worker_id)
            .order_by(jobs.job_id)
            .with_for_update()
        )  # fmt: skip
        async with self._database.transaction("keep_leases") as connection:
            rows = [
                row
                for row in await connection.execute(query)
                if row.lease_epoch == leases[row.job_id]
            ]
            now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
            if rows:
                await connection.execute(
                    sa.update(t.jobs)
                    .where(
                        jobs.job_id.in_([row.job_id for row in rows]),
                        # Its permit gave a lease that outlasts the call, and no more: a worker
                        # that forgot the call must lose it.
                        sa.not_(
                            sa.exists().where(
                                t.attempts.c.job_id == jobs.job_id,
                                t.attempts.c.tenant == jobs.tenant,
                                t.attempts.c.state == "SUBMITTING",
                            )
                        ),
                    )
                    .values(lease_until=sa.func.greatest(jobs.lease_until, now + self._lease))
                )
        return {
            row.job_id: Kept(
                job_id=row.job_id,
                stopping=bool(row.cancel_request_time or row.deadline_noted or row.deadline <= now),
                stage=row.stage,
                progress=row.progress,
                log_tail=row.log_tail,
            )
            for row in rows
        }
