"""What is going on? Counted from the rows that say so; no counter is kept beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import model_tables as m
from store.adapters import tables as t
from store.adapters import webhook_tables as w
from store.adapters.accounts import bucket_of
from store.adapters.database import CLOCK, Database
from store.adapters.workers import HEARD_OF
from store.domain import rate

MOST_WORKERS = 1000  #: shown; a row is forgotten an hour after its worker was


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs there are that somebody should know of, and who is there for them."""

    waiting: int
    running: int
    reconciling: int
    parked: int
    dead: int
    workers: int
    slots: int
    simulated: bool  #: there are workers, and all work with a simulator of the provider
    shut: str | None  #: why an account of the provider is shut
    oldest_waiting: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker heard of lately."""

    worker_id: str
    slots: int
    running: int
    seen_time: datetime


@dataclass(frozen=True, slots=True)
class Provider:
    """An account of the provider."""

    account: str
    shut_until: datetime | None  #: None: it is open
    shut_reason: str
    rate: float  #: creates a minute at most now; 0: no limit
    throttled_count: int
    throttle_time: datetime | None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What callers are still to be told."""

    pending: int  #: deliveries
    held: int  #: deliveries whose endpoint is paused
    paused: int  #: endpoints


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside jobs."""

    models: dict[str, int]  #: of the catalogue, by what is known of them
    doomed: int  #: objects that are still to be deleted


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it, as of about one instant."""

    counts: Counts
    letters: dict[str, int]  #: by state
    workers: tuple[Worker, ...]
    providers: tuple[Provider, ...]
    rate_limit: float  #: creates a minute while the provider refuses none; 0: no limit
    webhooks: Webhooks
    kept: Kept


class OverviewReader:
    """Reads it. *rate_limit* is the configured number of creates a minute."""

    def __init__(self, database: Database, rate_limit: float) -> None:
        self._database = database
        self._rate_limit = rate_limit

    async def read(self) -> Overview:
        """What is going on now."""
        async with self._database.single() as connection:
            counts = await read_counts(connection)
            letters = (await connection.execute(_LETTERS)).all()
            workers = (await connection.execute(_WORKERS)).all()
            accounts = (await connection.execute(_ACCOUNTS)).all()
            told = (await connection.execute(_WEBHOOKS)).one()
            models = (await connection.execute(_MODELS)).all()
            doomed = (await connection.execute(_DOOMED)).scalar_one()
        return Overview(
            counts,
            {row.state: row.found for row in letters},
            tuple(Worker(r.worker_id, r.slots, r.running, r.seen_time) for r in workers),
            tuple(self._provider(row, counts.now) for row in accounts),
            self._rate_limit,
            Webhooks(**told._asdict()),
            Kept({row.state: row.found for row in models}, doomed),
        )

    def _provider(self, row: sa.Row[Any], now: datetime) -> Provider:
        # Also while one call asks whether it works again.
        shut = row.shut_until is not None and (row.shut_count > 0 or row.shut_until > now)
        return Provider(
            account=row.account,
            shut_until=row.shut_until if shut else None,
            shut_reason=row.shut_reason or "" if shut else "",
            rate=rate.current(bucket_of(row), self._rate_limit, now),
            throttled_count=row.throttled_count,
            throttle_time=row.throttle_time,
        )


async def read_counts(connection: AsyncConnection) -> Counts:
    """The counts alone, which health asks for every other second."""
    row = (await connection.execute(_COUNTS)).one()
    return Counts(**row._asdict())


#: Also while one call asks whether it works again.
_SHUT = (t.accounts.c.shut_until > CLOCK) | (t.accounts.c.shut_count > 0)


def _counts() -> sa.Select[Any]:
    jobs, workers, attempts = t.jobs.c, t.workers.c, t.attempts.c
    count = sa.select(sa.func.count())
    alive = workers.seen_time > CLOCK - HEARD_OF
    waits = jobs.mover.in_(["ADMISSION", "DISPATCH"])
    # The index of unresolved attempts holds final jobs' too, which wait for nobody.
    parked = count.select_from(
        t.jobs.join(t.attempts, (attempts.tenant == jobs.tenant) & (attempts.job_id == jobs.job_id))
    ).where(jobs.mover == "RECONCILER", attempts.state == "UNRESOLVED")
    reconciler = count.where(jobs.mover == "RECONCILER").scalar_subquery()
    slots = sa.select(sa.func.coalesce(sa.func.sum(workers.slots), 0)).where(alive)
    simulated = sa.select(sa.func.coalesce(sa.func.bool_and(workers.simulated), False))
    shut = sa.select(sa.func.min(t.accounts.c.shut_reason)).where(_SHUT)
    return sa.select(
        count.where(waits).scalar_subquery().label("waiting"),
        count.where(jobs.mover == "LEASE").scalar_subquery().label("running"),
        (reconciler - parked.scalar_subquery()).label("reconciling"),
        parked.scalar_subquery().label("parked"),
        count.where(t.dead_letters.c.state == "DEAD").scalar_subquery().label("dead"),
        count.where(alive, workers.slots > 0).scalar_subquery().label("workers"),
        slots.scalar_subquery().label("slots"),
        simulated.where(alive, workers.slots > 0).scalar_subquery().label("simulated"),
        shut.scalar_subquery().label("shut"),
        # A job that waits for the first time has not changed since it was submitted.
        sa.select(sa.func.min(jobs.update_time))
        .where(waits, jobs.state == "PENDING", jobs.next_attempt_time.is_(None))
        .scalar_subquery()
        .label("oldest_waiting"),
        CLOCK.label("now"),
    )


def _webhooks() -> sa.Select[Any]:
    deliveries, endpoints = w.webhook_deliveries.c, w.webhook_endpoints.c
    held = deliveries.available_at.is_(None)
    count = sa.func.count()
    paused = (
        sa.select(sa.func.count())
        .where(endpoints.state == sa.literal_column("'PAUSED'"))
        .scalar_subquery()
    )
    # Written out, so that the index of those that have not ended is used.
    return sa.select(
        count.filter(sa.not_(held)).label("pending"),
        count.filter(held).label("held"),
        paused.label("paused"),
    ).where(deliveries.state == sa.literal_column("'PENDING'"))


# Built once: to build a statement takes longer than to run it.
_COUNTS = _counts()
_LETTERS = sa.select(t.dead_letters.c.state, sa.func.count().label("found")).group_by(
    t.dead_letters.c.state
)
_MODELS = sa.select(m.models.c.state, sa.func.count().label("found")).group_by(m.models.c.state)
_DOOMED = sa.select(sa.func.count()).select_from(m.doomed_objects)
_WORKERS = (
    sa.select(t.workers)
    .where(t.workers.c.seen_time > CLOCK - HEARD_OF)
    .order_by(t.workers.c.worker_id)
    .limit(MOST_WORKERS)
)
_WEBHOOKS = _webhooks()
_ACCOUNTS = sa.select(t.accounts).order_by(t.accounts.c.account)
