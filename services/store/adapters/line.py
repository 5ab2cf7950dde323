"""Who waits, who runs, how fast can it go, and how long did jobs run lately? Read, not judged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import tables as t
from store.adapters.accounts import bucket_of
from store.adapters.database import CLOCK, Database
from store.adapters.workers import HEARD_OF
from store.domain import rate
from store.domain.line import Runs
from store.domain.states import OCCUPYING

MOST_WAITING = 5_000  #: read of the line; behind them only their number
MOST_MOVING = 10_000
MOST_RUNS = 100  #: of a model
MOST_MODELS = 500  #: whose runs are looked up in one reading
RUNS_COUNT_FOR = timedelta(days=7)
RUNS_KEPT = 30.0  #: seconds, in this process


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

    def __init__(self, database: Database, limit: float) -> None:
        self._database = database
        self._limit = limit
        self._runs: dict[str, tuple[float, Runs]] = {}

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
            runs = await self._runs_of(connection, models, head.now)
        bucket = rate.fresh(self._limit, head.now) if account is None else bucket_of(account)
        return Seen(
            head.now, waiting, moving, length, last, int(head.slots), head.shut,
            rate.pace(bucket, self._limit, head.now), runs,
        )  # fmt: skip

    async def _runs_of(
        self, connection: AsyncConnection, models: Iterable[str], now: datetime
    ) -> Mapping[str, Runs]:
        """The runs of *models*, and of those looked up lately."""
        begin = time.monotonic()
        fresh = {m: each for m, each in self._runs.items() if each[0] > begin - RUNS_KEPT}
        missing = [model for model in models if model not in fresh][:MOST_MODELS]
        if missing:
            wanted = {"models": missing, "since": now - RUNS_COUNT_FOR}
            found = {r.model: tuple(r.runs) for r in await connection.execute(_RUNS, wanted)}
            fresh.update((model, (begin, found.get(model, ()))) for model in missing)
        self._runs = fresh
        return {model: runs for model, (_, runs) in fresh.items()}


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


def _runs() -> sa.Select[Any]:
    """How many seconds from the paid call to the end, for the last jobs of each model."""
    jobs, attempts = t.jobs.c, t.attempts.c
    models = sa.bindparam("models", type_=ARRAY(sa.Text))
    wanted = sa.func.unnest(models).table_valued("name").render_derived(name="wanted")
    seconds = sa.extract("epoch", jobs.end_time - attempts.create_time)
    recent = (
        sa.select(sa.cast(seconds, sa.Double).label("seconds"))
        .select_from(
            t.jobs.join(
                t.attempts,
                (attempts.tenant == jobs.tenant)
                & (attempts.job_id == jobs.job_id)
                & (attempts.state == "SUCCEEDED"),
            )
        )
        .where(
            jobs.model == wanted.c.name,
            jobs.state == "COMPLETED",
            jobs.end_time > sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        )
        .order_by(jobs.end_time.desc())
        .limit(MOST_RUNS)
        .lateral("recent")
    )
    # A clock that was set back must not make a run end before it began.
    length = sa.func.greatest(recent.c.seconds, 0.0)
    sorted_ = aggregate_order_by(length, length)
    return (
        sa.select(wanted.c.name.label("model"), sa.func.array_agg(sorted_).label("runs"))
        .select_from(wanted.join(recent, sa.true()))
        .group_by(wanted.c.name)
    )


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
_RUNS = _runs()
