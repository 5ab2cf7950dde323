"""May the provider's account be asked for one more call now? Its gate, and its rate of creates.

All workers share the account, so both are in its row. Whether it is shut (401, 402) is in gate.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import gate
from store.adapters import tables as t
from store.adapters.database import CLOCK
from store.adapters.gate import Closed
from store.domain import rate
from store.domain.rate import Bucket, Place
from store.domain.states import Refusal


async def take_token(
    connection: AsyncConnection, account: str, limit: float, worker: str, submit_token: str
) -> Closed | None:
    """Takes one create from the account's rate for *worker*. Closed if there is none for it now.

    *limit*: creates a minute; 0: as many as are asked for. *submit_token*: of the call to be made.
    """
    row = await _row(connection, account, limit)
    if row.shut_until is not None and row.shut_until > row.now:
        return Closed(Refusal.PROVIDER_SHUT, row.shut_until - row.now)
    if limit:
        bucket, wait = rate.take(bucket_of(row), limit, worker, row.now)
        await connection.execute(_REFILL, {"of_account": account, **_values(bucket)})
        if wait:
            await connection.execute(_SOON)
            return Closed(Refusal.RATE, wait)
    if not row.shut_count:
        return None
    return await gate.let_one_through(connection, account, submit_token)


async def throttle(
    connection: AsyncConnection,
    account: str,
    limit: float,
    retry_after: timedelta | None,
    permitted: datetime,
) -> float:
    """A 429 for a call that was *permitted* then. Creates a minute from now on (0: no limit)."""
    row = await _row(connection, account, limit or 1.0)  # locked: the count is changed
    bucket = bucket_of(row)
    if limit:
        bucket = rate.throttled(bucket, limit, retry_after, permitted, row.now)
    changed = {**_values(bucket), "throttled_count": row.throttled_count + 1}
    await connection.execute(_REFILL, {"of_account": account, **changed})
    return rate.current(bucket, limit, row.now)


def bucket_of(row: sa.Row[Any]) -> Bucket:
    """The rate's part of a row of accounts."""
    return Bucket(
        tokens=row.tokens,
        refill_time=row.refill_time,
        rate=row.rate,
        throttle_time=row.throttle_time,
        hold_until=row.hold_until,
        line=tuple(Place(name, datetime.fromtimestamp(until, UTC)) for name, until in row.line),
    )


def _values(bucket: Bucket) -> dict[str, Any]:
    return {
        "tokens": bucket.tokens,
        "refill_time": bucket.refill_time,
        "rate": bucket.rate,
        "throttle_time": bucket.throttle_time,
        "hold_until": bucket.hold_until,
        "line": [[place.worker, place.until.timestamp()] for place in bucket.line],
    }


def _query(*, locked: bool) -> sa.Select[Any]:
    """The account's row and the time: as of when the row was locked, if it is."""
    query = sa.select(t.accounts).where(t.accounts.c.account == sa.bindparam("of_account"))
    found = (query.with_for_update() if locked else query).cte("found")
    return sa.select(found, CLOCK.label("now"))


# Built once: to build a statement takes longer than to run it.
_LOCKED = _query(locked=True)
_LOOKED_AT = _query(locked=False)
# A place in the line is worth no wait for the disk, with the row locked that all others want.
_SOON = sa.text("SET LOCAL synchronous_commit TO off")
_REFILL = sa.update(t.accounts).where(t.accounts.c.account == sa.bindparam("of_account"))


async def _row(connection: AsyncConnection, account: str, limit: float) -> sa.Row[Any]:
    query = _LOCKED if limit else _LOOKED_AT
    row: sa.Row[Any] | None
    row = (await connection.execute(query, {"of_account": account})).one_or_none()
    if row is None:
        now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
        new = insert(t.accounts).values(account=account, **_values(rate.fresh(limit, now)))
        await connection.execute(new.on_conflict_do_nothing())
        row = (await connection.execute(query, {"of_account": account})).one()
    return row
