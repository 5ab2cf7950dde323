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


class Feed:
    """Numbers events, and reads them by number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unnumbered_tenants(self) -> list[str]:
        """The tenants with events to number."""
        query = sa.select(t.events.c.tenant).where(t.events.c.sequence.is_(None)).distinct()
        async with self._database.single() as connection:
            return list((await connection.execute(query.limit(100))).scalars())

    async def number(self, tenant: str) -> list[feed_pb2.FeedEvent]:
        """Numbers the next events of *tenant*, and returns them. Empty when there are none."""
        events = t.events.c
        head = t.feed_heads.c
        async with self._database.transaction() as connection:
            await connection.execute(
                insert(t.feed_heads)
                .values(tenant=tenant, generation=1, sequence=0)
                .on_conflict_do_nothing()
            )
            locked = sa.select(head.generation, head.sequence).where(head.tenant == tenant)
            row = (await connection.execute(locked.with_for_update())).one()
            # A statement of its own, begun after the lock was granted: its snapshot has all that
            # earlier holders of the lock numbered.
            query = (
                sa.select(events.job_id, events.revision, events.view)
                .where(events.tenant == tenant, events.sequence.is_(None))
                .order_by(events.event_id)
                .limit(BATCH)
            )
            found = (await connection.execute(query)).all()
            if not found:
                return []
            await connection.execute(
                sa.update(t.events)
                .where(
                    events.tenant == tenant,
                    events.job_id == sa.bindparam("of_job"),
                    events.revision == sa.bindparam("of_revision"),
                )
                .values(sequence=sa.bindparam("number")),
                [
                    {"of_job": each.job_id, "of_revision": each.revision, "number": number}
                    for number, each in enumerate(found, row.sequence + 1)
                ],
            )
            await connection.execute(
                sa.update(t.feed_heads)
                .where(head.tenant == tenant)
                .values(sequence=row.sequence + len(found))
            )
        return [
            _event(tenant, Position(row.generation, number), each.view)
            for number, each in enumerate(found, row.sequence + 1)
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
