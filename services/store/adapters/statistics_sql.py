"""Which statements count how it went? Each goes by an index, whatever there was before the window.

Every job that ended in the window, or has not ended, is looked at once. The parameters are `begin`
and `as_of`, which bound the window, and `steps`.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from store.adapters import tables as t

MOST_MODELS: Final = 20
MOST_REASONS: Final = 20
POINTS: Final = (0.5, 0.9, 0.99)

_J: Final = t.jobs.c
_TIME = sa.DateTime(timezone=True)
_BEGIN: Final = sa.bindparam("begin", type_=_TIME)
_AS_OF: Final = sa.bindparam("as_of", type_=_TIME)
_STEPS: Final = sa.bindparam("steps", type_=sa.Integer)


def _tenants() -> sa.ScalarSelect[Any]:
    """All of them, one look into an index each: the indexes of jobs begin with the tenant."""
    first = sa.select(sa.func.min(_J.tenant).label("tenant")).cte("tenants", recursive=True)
    jobs = t.jobs.alias("next").c
    following = (
        sa.select(sa.func.min(jobs.tenant)).where(jobs.tenant > first.c.tenant).scalar_subquery()
    )
    every = first.union_all(sa.select(following).where(first.c.tenant.is_not(None)))
    return sa.select(sa.func.array_agg(every.c.tenant)).scalar_subquery()


def _of_tenants() -> sa.ColumnElement[bool]:
    return _J.tenant == sa.any_(sa.cast(_tenants(), ARRAY(sa.Text)))


def _epoch(time: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """In seconds, as a double: EXTRACT makes a numeric, with which sums take several times as
    long."""
    return sa.func.date_part("epoch", time, type_=sa.Double)


def _step(time: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The number of the step that *time* is in, from 0."""
    seconds, length = _epoch(time - _BEGIN), _epoch(_AS_OF - _BEGIN)
    number = sa.cast(sa.func.floor(seconds * _STEPS / length), sa.Integer)
    return sa.func.least(number, _STEPS - 1)


def _within(time: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return (time >= _BEGIN) & (time < _AS_OF)


def _seconds(time: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """From the submission on. A clock that was set back makes nothing end before it began."""
    return sa.func.greatest(_epoch(time), 0.0)


def _points(length: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    shares = sa.literal(list(POINTS), type_=ARRAY(sa.Double))
    return sa.func.percentile_cont(shares, type_=ARRAY(sa.Double)).within_group(length)


def _seen() -> sa.CTE:
    """The jobs that ended in the window or later, and those that have not ended."""
    shown = (
        _J.state, _J.model, _J.create_time, _J.start_time, _J.end_time,
        _J.failure["reason"].astext.label("reason"),
    )  # fmt: skip
    ended = sa.select(*shown).where(_of_tenants(), _J.end_time >= _BEGIN)
    open_ = sa.select(*shown).where(_J.mover.is_not(None))
    return sa.union_all(ended, open_).cte("seen")


def _ended() -> sa.Select[Any]:
    seen = _seen().c
    completed = seen.state == "COMPLETED"
    step = _step(seen.end_time).label("step")
    return (
        sa.select(
            step,
            sa.func.count().filter(completed).label("completed"),
            sa.func.count().filter(seen.state == "FAILED").label("failed"),
            sa.func.count().filter(seen.state == "CANCELED").label("canceled"),
            _points(_seconds(seen.end_time - seen.create_time)).filter(completed).label("total"),
        )
        .where(_within(seen.end_time))
        .group_by(step)
    )


def _taken() -> sa.Select[Any]:
    seen = _seen().c
    step = _step(seen.start_time).label("step")
    wait = _points(_seconds(seen.start_time - seen.create_time)).label("wait")
    return sa.select(step, wait).where(_within(seen.start_time)).group_by(step)


def _submitted() -> sa.Select[Any]:
    step = _step(_J.create_time).label("step")
    return (
        sa.select(step, sa.func.count().label("submitted"))
        .where(_of_tenants(), _within(_J.create_time))
        .group_by(step)
    )


def _calls() -> sa.Select[Any]:
    step = _step(t.attempts.c.create_time).label("step")
    return (
        sa.select(step, sa.func.count().label("calls"))
        .where(_within(t.attempts.c.create_time))
        .group_by(step)
    )


def _models() -> sa.Select[Any]:
    seen = _seen().c
    completed = seen.state == "COMPLETED"
    done = sa.func.count().filter(completed)
    failed = sa.func.count().filter(seen.state == "FAILED")
    return (
        sa.select(
            seen.model,
            done.label("completed"),
            failed.label("failed"),
            _points(_seconds(seen.end_time - seen.create_time)).filter(completed).label("total"),
        )
        .where(_within(seen.end_time), seen.state.in_(["COMPLETED", "FAILED"]))
        .group_by(seen.model)
        .order_by(sa.func.count().desc(), seen.model)
        .limit(MOST_MODELS)
    )


def _reasons() -> sa.Select[Any]:
    seen = _seen().c
    return (
        sa.select(seen.reason, sa.func.count().label("jobs"))
        .where(_within(seen.end_time), seen.state == "FAILED")
        .group_by(seen.reason)
        .order_by(sa.func.count().desc(), seen.reason)
        .limit(MOST_REASONS)
    )


def _unfinished() -> sa.Select[Any]:
    seen = _seen().c
    still = sa.or_(seen.end_time.is_(None), seen.end_time >= _AS_OF)
    return sa.select(sa.func.count().label("jobs")).where(still, seen.create_time < _AS_OF)


# Built once: to build a statement takes longer than to run it.
ENDED = _ended()
TAKEN = _taken()
SUBMITTED = _submitted()
CALLS = _calls()
MODELS = _models()
REASONS = _reasons()
UNFINISHED = _unfinished()
