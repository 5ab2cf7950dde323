"""The provider's account: whether it is shut (401, 402), and its rate of creates.

All workers share the account, so both are rows. The gate closes admission and BeginSubmit only:
what is paid for already goes on, because the provider keeps results for one hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import tables as t
from store.domain.states import Refusal

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
BURST_SECONDS = 1.0  #: how many seconds' worth of creates may go at once


@dataclass(frozen=True, slots=True)
class Closed:
    """Why no call may be made now, and when to ask again."""

    reason: Refusal
    retry_after: timedelta


async def take_token(
    connection: AsyncConnection, account: str, per_minute: float, now: datetime
) -> Closed | None:
    """Takes one create from the account's rate (0: unlimited). Closed if there is none."""
    accounts = t.accounts.c
    per_second = per_minute / 60
    burst = max(1.0, per_second * BURST_SECONDS)
    query = sa.select(accounts.shut_until, accounts.tokens, accounts.refill_time).where(
        accounts.account == account
    )
    if per_minute:
        query = query.with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        new = insert(t.accounts).values(account=account, tokens=burst, refill_time=now)
        await connection.execute(new.on_conflict_do_nothing())
        row = (await connection.execute(query)).one()
    if row.shut_until is not None and row.shut_until > now:
        return Closed(Refusal.PROVIDER_SHUT, row.shut_until - now)
    if not per_minute:
        return None
    passed = max(0.0, (now - row.refill_time).total_seconds())
    tokens = min(burst, row.tokens + passed * per_second)
    if tokens < 1.0:
        return Closed(Refusal.RATE, timedelta(seconds=(1.0 - tokens) / per_second))
    await connection.execute(
        sa.update(t.accounts)
        .where(accounts.account == account)
        .values(tokens=tokens - 1.0, refill_time=now)
    )
    return None


async def shut(connection: AsyncConnection, account: str, reason: str, now: datetime) -> None:
    """A 401 or 402: nothing is spent for 30 s · 2ⁿ, at most 10 min."""
    accounts = t.accounts.c
    query = sa.select(accounts.shut_until, accounts.shut_count).where(accounts.account == account)
    row = (await connection.execute(query.with_for_update())).one()
    if row.shut_until is not None and row.shut_until > now:
        return  # the answers of calls that were under way together count once
    pause = min(FIRST_PAUSE * 2 ** min(row.shut_count, 10), LONGEST_PAUSE)
    await connection.execute(
        sa.update(t.accounts)
        .where(accounts.account == account)
        .values(shut_until=now + pause, shut_count=row.shut_count + 1, shut_reason=reason[:500])
    )


async def reopen(connection: AsyncConnection, account: str) -> None:
    """The provider took a call once the pause was over: the gate is open."""
    accounts = t.accounts.c
    await connection.execute(
        sa.update(t.accounts)
        .where(
            accounts.account == account,
            accounts.shut_count > 0,
            accounts.shut_until <= sa.func.clock_timestamp(),
        )
        .values(shut_until=None, shut_count=0, shut_reason=None)
    )
