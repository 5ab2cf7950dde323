"""What does the feed ask of Postgres? Two statements: one numbers events, one reads them.

Both give an event with what its job has for filters, and with what was asked for at the first
revision. Both stop behind the event that makes them longer than BATCH_BYTES.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from store.adapters import tables as t

BATCH = 500
BATCH_BYTES = 4 << 20

_OF_JOB = (t.jobs.c.tenant == t.events.c.tenant) & (t.jobs.c.job_id == t.events.c.job_id)


def _request() -> sa.ColumnElement[Any]:
    return sa.case((t.events.c.revision == 1, t.jobs.c.request))


def _length() -> sa.ColumnElement[Any]:
    request = sa.func.coalesce(sa.func.octet_length(_request()), 0)
    return sa.func.octet_length(t.events.c.view) + request


def _before(length: sa.ColumnElement[Any], order: sa.ColumnElement[Any]) -> Any:
    """How long all events before this one are."""
    return sa.func.coalesce(sa.func.sum(length).over(order_by=order, rows=(None, -1)), 0)


def number() -> sa.Select[Any]:
    """Locks a tenant's head, numbers the next events behind it in the order they were made, and
    moves it on. One row, or one for each event; none where the tenant has no head yet.

    A statement sees what was there when it began, and may get the lock later. Where the head has
    moved meanwhile it numbers nothing and says `late`: run again, under the lock, it sees all.
    """
    heads, of_tenant = t.feed_heads.c, sa.bindparam("of_tenant", type_=sa.Text)
    seen = sa.select(heads.generation, heads.sequence).where(heads.tenant == of_tenant)
    head, seen_head = seen.with_for_update().cte("head"), seen.cte("seen")
    moved_on = sa.or_(
        head.c.sequence != seen_head.c.sequence, head.c.generation != seen_head.c.generation
    )
    both = sa.select(head.c.generation, head.c.sequence, moved_on.label("late")).select_from(
        head.join(seen_head, sa.true())
    )
    at = both.cte("at")
    base = sa.select(at.c.sequence).where(sa.not_(at.c.late)).scalar_subquery()
    numbered = _numbered(of_tenant, base)
    count = sa.select(sa.func.count()).select_from(numbered).scalar_subquery()
    moved = (
        sa.update(t.feed_heads)
        .where(heads.tenant == of_tenant, sa.select(numbered.c.sequence).exists())
        .values(sequence=base + count)
        .cte("moved")
    )
    return (
        sa.select(at.c.generation, at.c.late, numbered)
        .select_from(at.outerjoin(numbered, sa.true()))
        .order_by(numbered.c.sequence)
        .add_cte(moved)
    )


def _numbered(of_tenant: sa.BindParameter[str], base: sa.ScalarSelect[int]) -> sa.CTE:
    """The events that get the numbers behind *base*; none without it."""
    events = t.events.c
    following = (
        sa.select(
            events.job_id,
            events.revision,
            events.event_id,
            t.jobs.c.model,
            t.jobs.c.labels,
            _request().label("request"),
            _length().label("length"),
        )
        .join(t.jobs, _OF_JOB)
        .where(events.tenant == of_tenant, events.sequence.is_(None))
        .order_by(events.event_id)
        .limit(BATCH)
        .subquery()
    )
    order = following.c.event_id
    placed = sa.select(
        following,
        sa.func.row_number().over(order_by=order).label("place"),
        _before(following.c.length, order).label("before"),
    ).subquery()
    return (
        sa.update(t.events)
        .where(
            events.tenant == of_tenant,
            events.job_id == placed.c.job_id,
            events.revision == placed.c.revision,
            placed.c.before < BATCH_BYTES,
            base.is_not(None),
        )
        .values(sequence=base + placed.c.place)
        .returning(
            events.sequence,
            events.view,
            events.previous_state,
            events.type,
            placed.c.model,
            placed.c.labels,
            placed.c.request,
        )
        .cte("numbered")
    )


def read() -> sa.Select[Any]:
    """The head, how current it is, and at most *most* events behind *after* in *of_generation*:
    one row or more, all of one instant."""
    heads, of_tenant = t.feed_heads.c, sa.bindparam("of_tenant", type_=sa.Text)
    clock = _as_of(of_tenant)
    part = _behind(of_tenant)
    behind = sa.select(part, _before(part.c.length, part.c.sequence).label("before")).lateral()
    return (
        sa.select(
            clock.c.as_of, clock.c.began, heads.generation, heads.sequence.label("head"), behind
        )
        .select_from(
            clock.outerjoin(t.feed_heads, heads.tenant == of_tenant).outerjoin(
                behind, behind.c.before < BATCH_BYTES
            )
        )
        .order_by(behind.c.sequence)
    )


def _as_of(of_tenant: sa.BindParameter[str]) -> sa.Subquery:
    """When this transaction began, which is before what it sees; less what is not numbered."""
    events = t.events.c
    oldest = (
        sa.select(sa.func.min(events.create_time))
        .where(events.tenant == of_tenant, events.sequence.is_(None))
        .scalar_subquery()
    )
    began = sa.func.transaction_timestamp()
    return sa.select(sa.func.least(began, oldest).label("as_of"), began.label("began")).subquery()


def _behind(of_tenant: sa.BindParameter[str]) -> sa.FromClause:
    events, heads = t.events.c, t.feed_heads.c
    return (
        sa.select(
            events.sequence,
            events.view,
            events.previous_state,
            t.jobs.c.model,
            t.jobs.c.labels,
            _request().label("request"),
            _length().label("length"),
        )
        .join(t.jobs, _OF_JOB)
        .where(
            events.tenant == of_tenant,
            events.sequence > sa.bindparam("after", type_=sa.BigInteger),
            heads.generation == sa.bindparam("of_generation", type_=sa.BigInteger),
        )
        .correlate(t.feed_heads)
        .order_by(events.sequence)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .lateral()
    )
