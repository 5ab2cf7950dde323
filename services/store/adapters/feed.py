"""The feed of a tenant: every revision of every job, numbered without holes in commit order.

A serial column is not commit order, so events are numbered after their commit: whoever holds the
lock on the tenant's `feed_heads` row numbers what it can see, in the order in which the events
were made. A job's events are made under its lock, so its revisions stay in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from mediagen.store.v1 import feed_pb2
from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.database import Database
from store.adapters.delivery_making import make_deliveries
from store.adapters.feed_statements import number, read
from store.adapters.wakeups import Wakeups
from store.domain.states import State


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a feed."""

    generation: int
    sequence: int

    def message(self) -> feed_pb2.FeedPosition:
        """Its wire form."""
        return feed_pb2.FeedPosition(generation=self.generation, sequence=self.sequence)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a feed. What was committed before *as_of* is at or before the head; it was read at
    *read_time*, or shortly after."""

    events: list[feed_pb2.FeedEvent]
    head: Position
    as_of: datetime
    read_time: datetime


_STATES = {None: job_pb2.Job.STATE_UNSPECIFIED} | {
    str(state): job_pb2.Job.State.Value(f"STATE_{state}") for state in State
}


def _event(tenant: str, generation: int, row: sa.Row[Any]) -> feed_pb2.FeedEvent:
    event = feed_pb2.FeedEvent(
        tenant=tenant,
        position=Position(generation, row.sequence).message(),
        model=row.model,
        labels=row.labels,
        previous_state=_STATES[row.previous_state],
    )
    event.job.ParseFromString(row.view)
    if row.request is not None:
        event.request.ParseFromString(row.request)
    return event


# Built once: to build a statement takes longer than to run it.
_FIRST = insert(t.feed_heads).on_conflict_do_nothing()
_NUMBER = number()
_READ = read()
_UNNUMBERED = (
    sa.select(t.events.c.tenant).where(t.events.c.sequence.is_(None)).distinct().limit(100)
)


class Feed:
    """Numbers events, and reads them by number."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups

    async def unnumbered_tenants(self) -> list[str]:
        """The tenants with events to number."""
        return [row.tenant for row in await self._database.rows(_UNNUMBERED, {})]

    async def number(self, tenant: str) -> list[feed_pb2.FeedEvent]:
        """Numbers the next events of *tenant*, and returns them. Empty when there are none."""
        key = {"of_tenant": tenant}
        async with self._database.transaction("number_events") as connection:
            rows = (await connection.execute(_NUMBER, key)).all()
            while not rows or rows[0].late:
                if not rows:
                    await connection.execute(
                        _FIRST, {"tenant": tenant, "generation": 1, "sequence": 0}
                    )
                rows = (await connection.execute(_NUMBER, key)).all()
            found = [row for row in rows if row.sequence is not None]
            if not found:
                return []
            told = any(each.type is not None for each in found) and await make_deliveries(
                connection, tenant, found[0].sequence, found[-1].sequence
            )
        if told:
            self._wakeups.webhooks.set()
        return [_event(tenant, row.generation, row) for row in found]

    async def read(self, tenant: str, after: Position | None, limit: int) -> Part:
        """The events behind *after* and the head: none without it, or of another generation."""
        key = {
            "of_tenant": tenant,
            "after": after.sequence if after else 0,
            "of_generation": after.generation if after else 0,
            "most": limit if after else 0,
        }
        rows = await self._database.rows(_READ, key)
        first = rows[0]
        head = Position(1, 0)
        if first.generation is not None:
            head = Position(first.generation, first.head)
        events = [_event(tenant, head.generation, row) for row in rows if row.sequence is not None]
        return Part(events, head, first.as_of, first.began)
