"""How many creates may be made now? One rate for all workers, as arithmetic on the account's row.

A token bucket: what flows in and what may go at once come to no more than the limit in any minute.
    429 ─▶ nothing until the provider's wait is over, then half of the rate, one call at a time
        ─▶ after 20 s without another the rate grows, doubling every 20 s, until it is the limit
Workers that find no token stand in a line, each at one place: told when its turn is, a worker comes
back then, so that each gets as much as any other. Whoever does not come loses its place.
Limits are creates a minute; nothing here knows the time but from `now`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

BURST_SECONDS = 1.0  #: how many seconds' worth of creates may go at once
# With little credit an account has 6 a minute, one at a time: a little less than that, so that a
# call that is faster on its way than the one before it does not come too early.
FLOOR = 5.5
STEADY = timedelta(seconds=20)  #: without a 429 before the rate grows
DOUBLING = timedelta(seconds=20)  #: in which it grows to twice as much
HOLD = timedelta(seconds=1)  #: after a 429 that does not say how long to wait
LONGEST_HOLD = timedelta(seconds=60)
LATE = timedelta(seconds=2)  #: how long a turn waits for its worker

_TICK = timedelta(milliseconds=1)
_ALMOST = 1e-6  # of a token: what rounding takes


@dataclass(frozen=True, slots=True)
class Place:
    """A worker in the line, and when it has lost its place."""

    worker: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """The account's rate as it was left. `rate` is what the last 429 left of it; None: all."""

    tokens: float  #: at `refill_time`
    refill_time: datetime
    rate: float | None = None
    throttle_time: datetime | None = None  #: when the last 429 came that counted
    hold_until: datetime | None = None  #: the provider asked to be left alone until then
    line: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast calls can be made from now on, while nothing throttles them."""

    flow: float  #: calls a second
    burst: float  #: at most so many at once
    tokens: float  #: so many at once now
    held: float  #: seconds until the first


def fresh(limit: float, now: datetime) -> Bucket:
    """An account that was not called before."""
    return Bucket(tokens=_burst(limit), refill_time=now)


def current(bucket: Bucket, limit: float, now: datetime) -> float:
    """Creates a minute that are made at most now; *limit* unless the provider throttled lately.

    This is what GetOverview shows. 0 if *limit* is 0, which means that there is none.
    """
    if not limit or bucket.rate is None or bucket.throttle_time is None:
        return limit
    since = max(bucket.throttle_time, bucket.hold_until or bucket.throttle_time)
    growing = max(now - since - STEADY, timedelta())
    return min(limit, bucket.rate * math.exp2(min(growing / DOUBLING, 100.0)))


def pace(bucket: Bucket, limit: float, now: datetime) -> Pace | None:
    """How fast calls can be made from *now* on; None: there is no *limit*."""
    if not limit:
        return None
    bucket = _brought_to(bucket, now)
    flow, burst = _flow(bucket, limit, now), _width(bucket, limit, now)
    passed = (now - bucket.refill_time).total_seconds()
    tokens = max(min(burst, bucket.tokens + passed * flow), 0.0)
    return Pace(flow, burst, tokens, _seconds_until(bucket.hold_until, now))


def take(bucket: Bucket, limit: float, worker: str, now: datetime) -> tuple[Bucket, timedelta]:
    """The bucket after *worker* asked for one create, and how long it has to wait: 0, it has it.

    Whoever waits has a place in the line, and keeps it by asking again when its time is over.
    """
    bucket = _brought_to(bucket, now)
    flow, burst = _flow(bucket, limit, bucket.refill_time), _width(bucket, limit, now)
    passed = (now - bucket.refill_time).total_seconds()
    tokens = min(burst, bucket.tokens + passed * flow)
    ahead = tuple(takewhile(lambda place: place.worker != worker, bucket.line))
    behind = bucket.line[len(ahead) + 1 :]
    held = _seconds_until(bucket.hold_until, now)
    if not held and tokens - len(ahead) >= 1 - _ALMOST:
        left = replace(bucket, tokens=tokens - 1, refill_time=now, line=ahead + behind)
        return _recovered(left, limit, now), timedelta()
    own = (1 + len(ahead) - tokens) / flow
    wait = timedelta(seconds=max(own, held and held + len(ahead) / flow)) + _TICK
    place = Place(worker, now + wait + LATE)
    return replace(bucket, line=(*ahead, place, *behind)), wait


def throttled(
    bucket: Bucket, limit: float, retry_after: timedelta | None, permitted: datetime, now: datetime
) -> Bucket:
    """The bucket after the provider answered 429 to a call that was *permitted* then.

    The answers to calls that were under way together lower the rate once.
    """
    bucket = _brought_to(bucket, now)
    wait = HOLD if retry_after is None else max(min(retry_after, LONGEST_HOLD), timedelta())
    hold_until = max(now + wait, bucket.hold_until or now)
    if bucket.throttle_time is not None and permitted <= bucket.throttle_time:
        return replace(bucket, hold_until=hold_until)
    left = max(current(bucket, limit, now) / 2, min(FLOOR, limit))
    until_next = max(wait.total_seconds(), 60 / limit)
    return replace(
        bucket,
        tokens=max(0.0, 1 - until_next * left / 60),  # one when the wait is over
        refill_time=now,
        rate=left,
        throttle_time=now,
        hold_until=hold_until,
    )


def _burst(limit: float) -> float:
    return max(1.0, limit * BURST_SECONDS / 60)


def _width(bucket: Bucket, limit: float, now: datetime) -> float:
    """How many may go at once: one, as long as the rate is lowered."""
    return _burst(limit) if current(bucket, limit, now) >= limit else 1.0


def _flow(bucket: Bucket, limit: float, now: datetime) -> float:
    """Tokens a second; with the burst before it, a minute's worth is the limit."""
    return min(current(bucket, limit, now), limit - _burst(limit) + 1) / 60


def _recovered(bucket: Bucket, limit: float, now: datetime) -> Bucket:
    if bucket.rate is None or current(bucket, limit, now) < limit:
        return bucket
    return replace(bucket, rate=None, hold_until=None)


def _brought_to(bucket: Bucket, now: datetime) -> Bucket:
    """Without what is over, and without what a clock that was set back made of the future."""
    if bucket.refill_time > now:
        throttle_time, hold_until = bucket.throttle_time, bucket.hold_until
        return replace(
            bucket,
            refill_time=now,
            throttle_time=throttle_time and min(throttle_time, now),
            hold_until=hold_until and min(hold_until, now + LONGEST_HOLD),
            line=(),
        )
    return replace(bucket, line=tuple(place for place in bucket.line if place.until > now))


def _seconds_until(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (moment - now).total_seconds()) if moment else 0.0
