"""The feed of a tenant: every revision of every job, numbered without holes in commit order.

A serial column is not commit order, so events are numbered after their commit: whoever holds the
lock on the tenant's `feed_heads` row numbers what it can see, in the order in which the events
were made. A job's events are made under its lock, so its revisions stay in order.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from mediagen.store.v1 import feed_pb2
from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.database import Database

BATCH = 500


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a feed."""

    generation: int
    sequence: int

    def message(self) -> feed_pb2.FeedPosition:
        """Its wire form."""
        return feed_pb2.FeedPosition(generation=self.generation, sequence=self.sequence)


def _event(tenant: str, position: Position, view: bytes) -> feed_pb2.FeedEvent:
    return feed_pb2.FeedEvent(
        tenant=tenant, position=position.message(), job=job_pb2.Job.FromString(view)
    )


def _number() -> sa.Update:
    """The next events of a tenant get the numbers behind *base*, in the order they were made."""
    events = t.events.c
    of_tenant = events.tenant == sa.bindparam("of_tenant")
    next_ones = (
        sa.select(events.job_id, events.revision, events.event_id)
        .where(of_tenant, events.sequence.is_(None))
        .order_by(events.event_id)
        .limit(BATCH)
        .subquery()
    )
    place = sa.func.row_number().over(order_by=next_ones.c.event_id)
    placed = sa.select(next_ones.c.job_id, next_ones.c.revision, place.label("place")).subquery()
    return (
        sa.update(t.events)
        .where(
            of_tenant,
            events.job_id == placed.c.job_id,
            events.revision == placed.c.revision,
        )
        .values(sequence=sa.bindparam("base", type_=sa.BigInteger) + placed.c.place)
        .returning(events.sequence, events.view)
    )


# Built once: to build a statement takes longer than to run it.
_FIRST = insert(t.feed_heads).on_conflict_do_nothing()
_LOCK = (
    sa.select(t.feed_heads.c.generation, t.feed_heads.c.sequence)
    .where(t.feed_heads.c.tenant == sa.bindparam("of_tenant"))
    .with_for_update()
)
_NUMBER = _number()
_UNNUMBERED = (
    sa.select(t.events.c.tenant).where(t.events.c.sequence.is_(None)).distinct().limit(100)
)
_MOVE = sa.update(t.feed_heads).where(t.feed_heads.c.tenant == sa.bindparam("of_tenant"))


class Feed:
    """Numbers events, and reads them by number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unnumbered_tenants(self) -> list[str]:
        """The tenants with events to number."""
        return [row.tenant for row in await self._database.rows(_UNNUMBERED, {})]

    async def number(self, tenant: str) -> list[feed_pb2.FeedEvent]:
        """Numbers the next events of *tenant*, and returns them. Empty when there are none."""
        of_tenant = {"of_tenant": tenant}
        async with self._database.transaction("number_events") as connection:
            row = (await connection.execute(_LOCK, of_tenant)).one_or_none()
            if row is None:
                await connection.execute(_FIRST, {"tenant": tenant, "generation": 1, "sequence": 0})
                row = (await connection.execute(_LOCK, of_tenant)).one()
            # A statement of its own, begun after the lock was granted: its snapshot has all that
            # earlier holders of the lock numbered.
            base = {"base": row.sequence}
            found = (await connection.execute(_NUMBER, of_tenant | base)).all()
            if not found:
                return []
            moved = of_tenant | {"sequence": row.sequence + len(found)}
            await connection.execute(_MOVE, moved)
        return [
            _event(tenant, Position(row.generation, each.sequence), each.view)
            for each in sorted(found, key=lambda each: int(each.sequence))
        ]

    async def head(self, tenant: str) -> Position:
        """The position of the newest event."""
        query = sa.select(t.feed_heads.c.generation, t.feed_heads.c.sequence).where(
            t.feed_heads.c.tenant == tenant
        )
        async with self._database.single() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Position(row.generation, row.sequence) if row else Position(1, 0)

    async def read(
        self, tenant: str, after: Position, limit: int
    ) -> tuple[list[feed_pb2.FeedEvent], Position]:
        """The events behind *after*, and the head. None of another generation."""
        head = await self.head(tenant)
        if after.generation != head.generation or after.sequence >= head.sequence:
            return [], head
        events = t.events.c
        query = (
            sa.select(events.sequence, events.view)
            .where(events.tenant == tenant, events.sequence > after.sequence)
            .order_by(events.sequence)
            .limit(limit)
        )
        async with self._database.single() as connection:
            rows = (await connection.execute(query)).all()
        return [
            _event(tenant, Position(head.generation, row.sequence), row.view) for row in rows
        ], head
