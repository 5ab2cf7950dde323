"""Is the provider's account shut? After a 401 or a 402 nothing is spent, but for one call at times.

    open ──401, 402──▶ shut (30 s · 2ⁿ, at most 10 min) ──pause over──▶ one call is let through
      ▲                 ▲                                                  │
      │                 └───────────────── 401, 402 ───────────────────────┤
      └─────────────────────────── the provider took it ───────────────────┘
The one call is a probe: until it has been answered the gate stays shut for all others, so that an
account without credit is not asked by every job that waits. A probe that is never heard of, or that
ends in another way, makes room for the next one. The gate closes admission and BeginSubmit only:
what is paid for already goes on, because the provider keeps results for one hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import tables as t
from store.adapters.database import CLOCK
from store.domain.states import Refusal

LONGEST_PAUSE = timedelta(minutes=10)
#: Longer than a call and its record take.
PROBE = timedelta(seconds=80)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why no call may be made now, and when to ask again."""

    reason: Refusal
    retry_after: timedelta


async def let_one_through(
    connection: AsyncConnection, account: str, submit_token: str
) -> Closed | None:
    """The pause is over: None for the first call that comes, Closed for the others."""
    accounts = t.accounts.c
    query = sa.select(accounts.shut_until, accounts.shut_count, CLOCK.label("now"))
    locked = query.where(accounts.account == account).with_for_update()
    row = (await connection.execute(locked)).one()
    if not row.shut_count:
        return None
    if row.shut_until > row.now:
        return Closed(Refusal.PROVIDER_SHUT, row.shut_until - row.now)
    until = row.now + PROBE
    await _change(connection, account, shut_until=until)
    probe = insert(t.singletons).values(name=_name(account), owner=submit_token, until=until)
    await connection.execute(
        probe.on_conflict_do_update(
            index_elements=["name"], set_={"owner": submit_token, "until": until}
        )
    )
    return None


async def shut(
    connection: AsyncConnection,
    account: str,
    submit_token: str,
    reason: str,
    first_pause: timedelta,
) -> None:
    """A 401 or 402 for a call: nothing is spent for a while, each time longer."""
    row = await _state(connection, account)
    if row.shut_until is not None and row.shut_until > row.now and row.probe != submit_token:
        return  # the answers of calls that were under way together count once
    pause = min(first_pause * 2 ** min(row.shut_count, 10), LONGEST_PAUSE)
    await _change(
        connection, account, shut_until=row.now + pause, shut_count=row.shut_count + 1,
        shut_reason=reason[:500],
    )  # fmt: skip


async def reopen(connection: AsyncConnection, account: str, submit_token: str) -> None:
    """The provider took a call. That opens the gate if the call was made after the pause."""
    if not await _any_shut(connection):
        return
    row = await _state(connection, account)
    if row.shut_count and (row.probe == submit_token or row.shut_until <= row.now):
        await _change(connection, account, **_OPEN)
    # A token of another account took the place of one that was refused: that one asks no more.
    accounts = t.accounts.c
    others = sa.update(t.accounts).where(accounts.account != account, accounts.shut_count > 0)
    await connection.execute(others.values(**_OPEN))


async def excuse(connection: AsyncConnection, account: str, submit_token: str) -> None:
    """The call came to nothing that says anything of the account: another one may be the probe."""
    if not await _any_shut(connection):
        return
    row = await _state(connection, account)
    if row.shut_count and row.probe == submit_token and row.shut_until > row.now:
        await _change(connection, account, shut_until=row.now)


async def _any_shut(connection: AsyncConnection) -> bool:
    """Looked at without a lock: as a rule none is, and every call comes by here."""
    return bool((await connection.execute(_ANY_SHUT)).scalar())


async def _state(connection: AsyncConnection, account: str) -> sa.Row[Any]:
    """Locked; `probe` is the token of the call that was let through since the last pause."""
    row: sa.Row[Any] = (await connection.execute(_STATE, _named(account))).one()
    return row


async def _change(connection: AsyncConnection, account: str, **values: Any) -> None:
    update = sa.update(t.accounts).where(t.accounts.c.account == account)
    await connection.execute(update.values(**values))


def _named(account: str) -> dict[str, str]:
    return {"of_account": account, "of_probe": _name(account)}


def _name(account: str) -> str:
    return f"probe {account}"


def _query() -> sa.Select[Any]:
    accounts, probes = t.accounts.c, t.singletons.c
    # A probe counts for as long as the gate is held shut for it, not for a pause that came after.
    probe = sa.select(probes.owner).where(
        probes.name == sa.bindparam("of_probe"), probes.until == accounts.shut_until
    )
    return (
        sa.select(
            accounts.shut_until,
            accounts.shut_count,
            probe.scalar_subquery().label("probe"),
            CLOCK.label("now"),
        )
        .where(accounts.account == sa.bindparam("of_account"))
        .with_for_update(of=t.accounts)
    )


# Built once: to build a statement takes longer than to run it.
_STATE = _query()
_ANY_SHUT = sa.select(sa.exists().where(t.accounts.c.shut_count > 0))
_OPEN = {"shut_until": None, "shut_count": 0, "shut_reason": None}
