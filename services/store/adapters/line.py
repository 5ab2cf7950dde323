"""Who waits, who runs, and how fast can it go? Read, not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from store.adapters import tables as t
from store.adapters.accounts import bucket_of
from store.adapters.database import CLOCK, Database
from store.adapters.recent_runs import RecentRuns
from store.adapters.workers import HEARD_OF
from store.domain import rate
from store.domain.line import Runs
from store.domain.states import OCCUPYING

MOST_WAITING = 5_000  #: read of the line; behind them only their number
MOST_MOVING = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was at one moment."""

    now: datetime
    waiting: Sequence[sa.Row[Any]]  #: for admission, the first in the line
    moving: Sequence[sa.Row[Any]]  #: dispatched, running, or looked up; with the time of the call
    length: int  #: of the whole line for admission
    last_rank_time: datetime | None  #: of the whole line, where it is longer than what was read
    slots: int
    shut: bool  #: an account of the provider takes no calls
    pace: rate.Pace | None
    runs: Mapping[str, Runs]


class LineReader:
    """Reads it. *limit* is the configured number of creates a minute."""

    def __init__(self, database: Database, limit: float, runs: RecentRuns) -> None:
        self._database = database
        self._limit = limit
        self._runs = runs

    async def read(self) -> Seen:
        """At most six statements, however long the line is."""
        async with self._database.single() as connection:
            head = (await connection.execute(_HEAD)).one()
            account = (await connection.execute(_ACCOUNT)).one_or_none()
            waiting: Sequence[sa.Row[Any]] = (await connection.execute(_WAITING)).all()
            moving = (await connection.execute(_MOVING)).all()
            length, last = len(waiting), None
            if length == MOST_WAITING:
                length, last = (await connection.execute(_LENGTH)).one()
            models = dict.fromkeys(row.model for row in (*moving, *waiting))
            runs = await self._runs.of(connection, models, head.now)
        bucket = rate.fresh(self._limit, head.now) if account is None else bucket_of(account)
        return Seen(
            head.now, waiting, moving, length, last, int(head.slots), head.shut,
            rate.pace(bucket, self._limit, head.now), runs,
        )  # fmt: skip


def _head() -> sa.Select[Any]:
    slots = sa.select(sa.func.coalesce(sa.func.sum(t.workers.c.slots), 0)).where(
        t.workers.c.seen_time > CLOCK - HEARD_OF
    )
    # Also while one call asks whether it works again.
    shut = sa.exists().where((t.accounts.c.shut_until > CLOCK) | (t.accounts.c.shut_count > 0))
    return sa.select(CLOCK.label("now"), slots.scalar_subquery().label("slots"), shut.label("shut"))


def _moving() -> sa.Select[Any]:
    jobs, attempts = t.jobs.c, t.attempts.c
    # At most one attempt of a job is of these, by a unique index.
    call = (
        (attempts.tenant == jobs.tenant)
        & (attempts.job_id == jobs.job_id)
        & attempts.state.in_([str(state) for state in sorted(OCCUPYING)])
    )
    return (
        sa.select(
            *_SHOWN, jobs.state, jobs.stage, jobs.mover, jobs.next_attempt_time,
            attempts.create_time.label("call_time"),
        )
        .select_from(t.jobs.outerjoin(t.attempts, call))
        .where(jobs.mover.in_(["DISPATCH", "LEASE", "RECONCILER"]))
        .order_by(jobs.rank_time, jobs.job_id)
        .limit(MOST_MOVING)
    )  # fmt: skip


_SHOWN = (
    t.jobs.c.job_id, t.jobs.c.tenant, t.jobs.c.model, t.jobs.c.rank_time, t.jobs.c.deadline,
)  # fmt: skip
# Built once: to build a statement takes longer than to run it.
_HEAD = _head()
_ACCOUNT = sa.select(t.accounts).order_by(t.accounts.c.refill_time.desc()).limit(1)
_WAITING: sa.Select[Any] = (
    sa.select(*_SHOWN)
    .where(t.jobs.c.mover == "ADMISSION")
    .order_by(t.jobs.c.rank_time, t.jobs.c.job_id)
    .limit(MOST_WAITING)
)
_LENGTH = sa.select(sa.func.count(), sa.func.max(t.jobs.c.rank_time)).where(
    t.jobs.c.mover == "ADMISSION"
)
_MOVING = _moving()
