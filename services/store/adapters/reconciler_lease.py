"""Who reconciles, and what there is to reconcile.

One worker at a time holds the row `singletons.reconciler`; its epoch fences the reports of one that
was thought dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from store.adapters import tables as t
from store.adapters.database import CLOCK, Database

LEASE = timedelta(seconds=20)
MOST = 200
MARGIN = timedelta(minutes=5)
MOST_LATE = 50
ASKED_AFTER = timedelta(minutes=10)
LONGEST_LATE = timedelta(hours=2)  #: the longest Cancel-After, and more: for the index


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt whose outcome is not known."""

    job_id: UUID
    submit_token: str
    input: bytes
    model: str
    create_time: datetime
    send_by: datetime
    request: bytes | None  #: of a job that took secrets


@dataclass(frozen=True, slots=True)
class Late:
    """A prediction that came too late for its job, and may still run."""

    job_id: UUID
    prediction_id: str


@dataclass(frozen=True, slots=True)
class Held:
    """The reconciler's fence, and its work."""

    epoch: int
    now: datetime
    doubts: list[Doubt]
    owned: list[str]
    late: list[Late]


class ReconcilerLease:
    """The reconciler's lease, and reads for its holder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, worker_id: str, account: str) -> Held | None:
        """The lease for *worker_id*, new or kept, with the doubts of *account*."""
        rows = t.singletons.c
        async with self._database.transaction("lease_reconciler") as connection:
            query = sa.select(t.singletons).where(rows.name == "reconciler").with_for_update()
            row = (await connection.execute(query)).one()
            now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
            if row.owner != worker_id and row.until is not None and row.until > now:
                return None
            epoch = row.epoch if row.owner == worker_id else row.epoch + 1
            await connection.execute(
                sa.update(t.singletons)
                .where(rows.name == "reconciler")
                .values(owner=worker_id, epoch=epoch, until=now + LEASE)
            )
        doubts = await self._doubts(account)
        return Held(
            epoch, now, doubts, await self._owned(account, doubts), await self._late(account)
        )

    async def holds(self, worker_id: str, epoch: int) -> bool:
        """The worker is still the reconciler: a long look may outlast its lease."""
        rows = t.singletons.c
        query = sa.select(rows.name).where(
            rows.name == "reconciler", rows.owner == worker_id, rows.epoch == epoch
        )
        async with self._database.single() as connection:
            return (await connection.execute(query)).one_or_none() is not None

    async def _doubts(self, account: str) -> list[Doubt]:
        a = t.attempts.c
        query = (
            sa.select(
                a.job_id,
                a.submit_token,
                a.input,
                a.create_time,
                a.send_by,
                t.jobs.c.model,
                sa.case((t.jobs.c.secrets_digest.is_not(None), t.jobs.c.request)).label("request"),
            )
            .join_from(t.attempts, t.jobs, t.jobs.c.job_id == a.job_id)
            .where(
                a.account == account,
                sa.or_(
                    sa.and_(a.state.in_(["UNKNOWN", "UNRESOLVED"]), t.jobs.c.mover == "RECONCILER"),
                    a.state == "WRITTEN_OFF",
                ),
                a.prediction_id.is_(None),
                a.create_time > CLOCK - timedelta(hours=1),
            )
            # What was parked must not keep what is in doubt from being looked for.
            .order_by(a.state, a.create_time)
            .limit(MOST)
        )
        async with self._database.single() as connection:
            return [Doubt(**row) for row in (await connection.execute(query)).mappings()]

    async def _late(self, account: str) -> list[Late]:
        """Orphans without an end. The provider ends each by itself in the end; a while after that
        it is no longer asked how."""
        a = t.attempts.c
        runs_for = sa.func.make_interval(0, 0, 0, 0, 0, 0, a.cancel_after)
        began = sa.func.coalesce(a.submit_time, a.send_by)
        query = (
            sa.select(a.job_id, a.prediction_id)
            .where(
                a.account == account,
                a.state == "ORPHAN",
                a.end_time.is_(None),
                a.create_time > CLOCK - LONGEST_LATE,
                began + runs_for + ASKED_AFTER > CLOCK,
            )
            .order_by(a.create_time)
            .limit(MOST_LATE)
        )
        async with self._database.single() as connection:
            return [Late(**row) for row in (await connection.execute(query)).mappings()]

    async def _owned(self, account: str, doubts: list[Doubt]) -> list[str]:
        if not doubts:
            return []
        a = t.attempts.c
        query = sa.select(a.prediction_id).where(
            a.account == account,
            a.prediction_id.is_not(None),
            a.create_time > min(doubt.create_time for doubt in doubts) - MARGIN,
        )
        async with self._database.single() as connection:
            return list((await connection.execute(query)).scalars())
