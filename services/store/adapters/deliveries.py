"""What the notifier does with a webhook delivery, in Postgres: it claims it, and records the post.

An endpoint is locked before its deliveries, and of several deliveries the smaller id first. Whoever
posts holds a claim, no lock: one that is not heard of again runs out by itself, and the delivery is
published anew.

Comes from: delivery_making.py, through loops/webhook_relay.py. Goes on: the notifier.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from jobqueue.topology import WEBHOOK_LADDER, level_for
from store.adapters import tables as t
from store.adapters import webhook_payloads as payloads
from store.adapters import webhook_tables as w
from store.adapters.database import CLOCK, Database
from store.adapters.endpoints import lock_endpoint, save_endpoint
from store.adapters.wakeups import Wakeups
from store.adapters.webhook_rows import delivery_of, endpoint_of
from store.adapters.webhook_secrets import WebhookSecrets
from store.domain import deliveries as domain
from store.domain.deliveries import ATTEMPTS_KEPT, CLAIM, HORIZON, PING, Delivery, Outcome, Post

_D: Final = w.webhook_deliveries.c
_E: Final = w.webhook_endpoints.c


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is posted, and where."""

    url: str
    headers: Mapping[str, str]
    body: bytes


async def save_delivery(
    connection: AsyncConnection, delivery_id: UUID, new: Delivery, now: datetime
) -> None:
    """Writes *new*. It goes through the longest retry queue that is not too long; the rest of the
    wait is the row's. The caller has locked it."""
    level, available_at = None, new.available_at
    if available_at is not None and new.claim_until is None:
        level = level_for((available_at - now).total_seconds(), WEBHOOK_LADDER)
    if available_at is not None and level is not None:
        available_at -= timedelta(seconds=level.seconds)
    values = {
        "state": str(new.state),
        "expire_time": new.expire_time,
        "end_time": new.end_time,
        "attempts": new.attempts,
        "dispatch": new.dispatch,
        "level": level.name if level else None,
        "due": new.due,
        "available_at": available_at,
        "published": 0,
        "relay_until": None,
        "claim_token": new.claim_token,
        "claim_until": new.claim_until,
    }
    await connection.execute(_WRITE, {**values, "of_delivery": delivery_id})


class Deliveries:
    """What the notifier does with a delivery."""

    def __init__(self, database: Database, wakeups: Wakeups, public_url: str) -> None:
        self._database = database
        self._wakeups = wakeups
        self._secrets = WebhookSecrets(database)
        self._public_url = public_url

    async def claim(self, delivery_id: UUID, dispatch: int, token: str) -> Parcel | None:
        """What is to be posted; None: nothing is. Again with *token* it is the same."""
        async with self._database.transaction("claim_delivery") as connection:
            key = {"of_delivery": delivery_id}
            row = (await connection.execute(_LOCK_WITH_EVENT, key)).mappings().one_or_none()
            if row is None:
                return None
            endpoint = domain.Endpoint(state=domain.EndpointState(row["endpoint_state"]))
            old = delivery_of(row)
            new = domain.claim(old, endpoint, dispatch, token, row["now"])
            if new is not None and new != old:
                await save_delivery(connection, delivery_id, new, row["now"])
        if new is None:
            if endpoint.paused and old.available_at is not None:
                await self._hold(delivery_id)
            return None
        assert new.claim_until is not None
        return await self._parcel(delivery_id, row, new.claim_until - CLAIM)

    async def _hold(self, delivery_id: UUID) -> None:
        """It was made or claimed in the instant in which its endpoint was paused."""
        await self._database.rows(_HOLD, {"of_delivery": delivery_id}, "hold_delivery")

    async def _parcel(self, delivery_id: UUID, row: sa.RowMapping, moment: datetime) -> Parcel:
        if row["type"] == PING:
            body = payloads.of_ping(str(row["endpoint_id"]), row["create_time"])
        else:
            body = payloads.of_job(
                row["type"],
                row["event_time"] or row["create_time"],
                row["event_view"] or row["job_view"],
                row["job_request"],
                self._public_url,
            )
        secret = await self._secrets.get(row["tenant"])
        signature = secret.signatures(str(delivery_id), moment, body)
        headers = payloads.headers(str(delivery_id), moment, signature)
        return Parcel(row["url"], headers, body.encode())

    async def record(self, delivery_id: UUID, token: str, post: Post) -> bool:
        """Writes what came of a post. False, and nothing is written: it was recorded before, or
        another has claimed the delivery since."""
        async with self._database.transaction("record_delivery") as connection:
            key = {"of_delivery": delivery_id, "token": token}
            told = (await connection.execute(_CLAIMED, key)).mappings().one_or_none()
            # An endpoint that goes on well is left alone: all that is posted to it would queue for
            # its row.
            if told is not None and (post.outcome is not Outcome.TAKEN or told["failures"]):
                told = await lock_endpoint(connection, told["endpoint_id"])
            row = (await connection.execute(_LOCK, key)).mappings().one_or_none()
            if told is None or row is None:
                return False
            now: datetime = row["now"]
            made = domain.record(
                delivery_of(row), endpoint_of(told), token, post, row["posts"], random.random(), now
            )
            if made is None:
                return False
            new, endpoint = made
            await save_delivery(connection, delivery_id, new, now)
            await save_endpoint(connection, row["endpoint_id"], told, endpoint)
            if new.attempts > row["attempts"]:
                await _note_post(connection, delivery_id, new.attempts, post, now)
        self._wakeups.webhooks.set()
        return True


async def _note_post(
    connection: AsyncConnection, delivery_id: UUID, number: int, post: Post, now: datetime
) -> None:
    """One more row of the log, of which the newest ATTEMPTS_KEPT are kept."""
    row = {
        "delivery_id": delivery_id,
        "number": number,
        "start_time": now - post.duration,
        "duration_ms": round(post.duration.total_seconds() * 1000),
        "status_code": post.status_code,
        "error": post.message,
    }
    await connection.execute(_NOTE, row)
    if number > ATTEMPTS_KEPT:
        old = {"of_delivery": delivery_id, "oldest": number - ATTEMPTS_KEPT}
        await connection.execute(_FORGET, old)


def _locked_with_event() -> sa.Select[Any]:
    events, jobs = t.events.c, t.jobs.c
    same_job = jobs.job_id == _D.job_id
    same_event = (
        (events.tenant == _D.tenant)
        & (events.job_id == _D.job_id)
        & (events.revision == _D.revision)
    )
    return (
        sa.select(
            w.webhook_deliveries, CLOCK.label("now"), _E.url, _E.state.label("endpoint_state"),
            jobs.view.label("job_view"), jobs.request.label("job_request"),
            events.view.label("event_view"), events.create_time.label("event_time"),
        )
        .select_from(
            w.webhook_deliveries.join(w.webhook_endpoints, _E.endpoint_id == _D.endpoint_id)
            .outerjoin(t.jobs, same_job)
            .outerjoin(t.events, same_event)
        )
        .where(_D.delivery_id == sa.bindparam("of_delivery"))
        .with_for_update(of=w.webhook_deliveries)
    )  # fmt: skip


def _posts() -> sa.ScalarSelect[int]:
    """How often it was posted since it was made or redelivered."""
    attempts = w.webhook_attempts.c
    return (
        sa.select(sa.func.count())
        .where(
            attempts.delivery_id == _D.delivery_id,
            attempts.start_time >= _D.expire_time - HORIZON,
        )
        .correlate(w.webhook_deliveries)
        .scalar_subquery()
    )


def _hold() -> sa.Update:
    paused = (
        sa.select(_E.endpoint_id)
        .join_from(w.webhook_endpoints, w.webhook_deliveries, _E.endpoint_id == _D.endpoint_id)
        .where(_D.delivery_id == sa.bindparam("of_delivery"), _E.state == "PAUSED")
        .with_for_update(read=True, of=w.webhook_endpoints)
        .cte("paused")
    )
    return (
        sa.update(w.webhook_deliveries)
        .where(
            _D.delivery_id == sa.bindparam("of_delivery"),
            _D.state == "PENDING",
            _D.endpoint_id == paused.c.endpoint_id,
        )
        .values(available_at=None)
        .returning(_D.delivery_id)
    )


# Built once: to build a statement takes longer than to run it.
_LOCK_WITH_EVENT = _locked_with_event()
_CLAIMED = (
    sa.select(w.webhook_endpoints)
    .join_from(w.webhook_deliveries, w.webhook_endpoints, _E.endpoint_id == _D.endpoint_id)
    .where(_D.delivery_id == sa.bindparam("of_delivery"), _D.claim_token == sa.bindparam("token"))
)
_LOCK = (
    sa.select(w.webhook_deliveries, CLOCK.label("now"), _posts().label("posts"))
    .where(_D.delivery_id == sa.bindparam("of_delivery"))
    .with_for_update()
)
_WRITE = sa.update(w.webhook_deliveries).where(_D.delivery_id == sa.bindparam("of_delivery"))
_HOLD = _hold()
_NOTE = sa.insert(w.webhook_attempts)
_FORGET = sa.delete(w.webhook_attempts).where(
    w.webhook_attempts.c.delivery_id == sa.bindparam("of_delivery"),
    w.webhook_attempts.c.number <= sa.bindparam("oldest"),
)
