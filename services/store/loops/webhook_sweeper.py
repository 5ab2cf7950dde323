"""What does time do to webhooks? Deliveries are given up, and what is long over is forgotten.

And of many that were held, those are let go that were not yet when their endpoint was resumed
(adapters/endpoints.py).
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
import structlog

from servicekit.lifecycle import Stop
from store.adapters import webhook_tables as w
from store.adapters.database import BEGUN, CLOCK, Database
from store.adapters.endpoints import AT_ONCE, let_go
from store.domain.deliveries import KEPT, DeliveryState, EndpointState
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 5.0
BATCH = 500

_D: Final = w.webhook_deliveries.c
_E: Final = w.webhook_endpoints.c


class WebhookSweeper:
    """Any number of replicas may sweep: each passes over what another has in hand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, stop: Stop) -> None:
        """Sweeps until *stop*."""
        await repeat("webhook sweeper", self.turn, stop, poll=POLL)

    async def turn(self) -> bool:
        """One batch of each. True if there may be more at once."""
        expired = await self._database.rows(_EXPIRE, {}, "expire_deliveries")
        if expired:
            log.info("deliveries.expired", count=len(expired))
        freed = await self._database.rows(_LET_GO, {}, "let_go_deliveries")
        async with self._database.transaction("forget_deliveries") as connection:
            forgotten = (await connection.execute(_FORGET)).rowcount
            await connection.execute(_FORGET_NAMED)
        return BATCH in (len(expired), forgotten) or len(freed) == AT_ONCE


def _still_held() -> sa.Select[Any]:
    """Deliveries whose endpoint is not paused. Is it at this moment, a claim holds them again."""
    return (
        sa.select(_D.delivery_id)
        .join_from(w.webhook_deliveries, w.webhook_endpoints, _E.endpoint_id == _D.endpoint_id)
        .where(
            _D.state == sa.literal_column(f"'{DeliveryState.PENDING}'"),
            _D.available_at.is_(None),
            _E.state == str(EndpointState.ENABLED),
        )
        .limit(AT_ONCE)
        .with_for_update(of=w.webhook_deliveries, skip_locked=True)
    )


def _expire() -> sa.Update:
    """Not one that is being posted: its outcome is near."""
    old = (
        sa.select(_D.delivery_id)
        .where(
            _D.state == sa.literal_column(f"'{DeliveryState.PENDING}'"),
            _D.expire_time <= BEGUN,
            sa.or_(_D.claim_until.is_(None), _D.claim_until < BEGUN),
        )
        .order_by(_D.expire_time)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(w.webhook_deliveries)
        .where(_D.delivery_id.in_(old))
        .values(
            state=str(DeliveryState.FAILED),
            end_time=CLOCK,
            available_at=None,
            due=None,
            claim_token=None,
            claim_until=None,
        )
        .returning(_D.delivery_id)
    )


def _forget() -> sa.Delete:
    over: sa.Select[Any] = (
        sa.select(_D.delivery_id)
        .where(_D.end_time < BEGUN - KEPT)
        .order_by(_D.end_time)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return sa.delete(w.webhook_deliveries).where(_D.delivery_id.in_(over))


def _forget_named() -> sa.Delete:
    """URLs that no job has named for long, and that nothing is kept of."""
    told = sa.exists().where(_D.endpoint_id == _E.endpoint_id)
    unused: sa.Select[Any] = (
        sa.select(_E.endpoint_id)
        .where(_E.of_jobs, _E.update_time < BEGUN - KEPT, sa.not_(told))
        .order_by(_E.update_time)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return sa.delete(w.webhook_endpoints).where(_E.endpoint_id.in_(unused))


# Built once: to build a statement takes longer than to run it.
_LET_GO = let_go(_still_held()).returning(_D.delivery_id)
_EXPIRE = _expire()
_FORGET = _forget()
_FORGET_NAMED = _forget_named()
