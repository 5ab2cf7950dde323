"""Where are webhooks posted to? A tenant's endpoints, and the URLs that its jobs have named.

Who changes whether an endpoint is called locks its row first and its deliveries after it. What is
made for it meanwhile waits for that lock (delivery_making.py), so nothing is held for ever. As the
feed waits too, each lock is short: only so many deliveries are held or let go with the change. The
others are held when they are claimed (deliveries.py), and let go by loops/webhook_sweeper.py.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from mediagen.v1 import webhook_pb2
from store.adapters import webhook_tables as w
from store.adapters.database import CLOCK, Database
from store.adapters.page_tokens import Place, read_token, write_token
from store.adapters.wakeups import Wakeups
from store.adapters.webhook_rows import endpoint_message, endpoint_of
from store.domain import deliveries as domain
from store.domain.deliveries import DEFAULT_EVENTS, ENDPOINT_LIMIT, RESUME_SPREAD, DeliveryState
from store.domain.errors import EndpointNamedByJobs, EndpointNotFound, TooManyEndpoints

BY_OWNER: Final = "Paused by its owner."
#: Deliveries of one transaction: it ends well before its time is over.
AT_ONCE: Final = 2000

_ENDPOINTS: Final = w.webhook_endpoints.c
_DELIVERIES: Final = w.webhook_deliveries.c


def events_of(target: webhook_pb2.WebhookTarget) -> list[str]:
    """The events that *target* is told of; three by default."""
    return list(target.events) or list(DEFAULT_EVENTS)


class WebhookEndpoints:
    """One tenant's endpoints at a time: another's are not there."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups

    async def create(
        self, tenant: str, target: webhook_pb2.WebhookTarget, description: str
    ) -> webhook_pb2.WebhookEndpoint:
        """A new one. TooManyEndpoints beyond the limit."""
        of_tenant = {"of_tenant": tenant}
        new = {
            "endpoint_id": uuid4(),
            "tenant": tenant,
            "url": target.url,
            "events": events_of(target),
            "description": description,
            "of_jobs": False,
            "state": str(domain.EndpointState.ENABLED),
        }
        async with self._database.transaction("create_webhook_endpoint") as connection:
            await connection.execute(_ALONE, of_tenant)
            if (await connection.execute(_COUNT, of_tenant)).scalar_one() >= ENDPOINT_LIMIT:
                raise TooManyEndpoints(ENDPOINT_LIMIT)
            row = (await connection.execute(_CREATE, new)).mappings().one()
        return endpoint_message(row)

    async def get(self, tenant: str, endpoint_id: UUID) -> webhook_pb2.WebhookEndpoint:
        """The endpoint."""
        key = {"of_tenant": tenant, "of_endpoint": endpoint_id}
        async with self._database.single() as connection:
            row = (await connection.execute(_ONE, key)).mappings().one_or_none()
        if row is None:
            raise EndpointNotFound(endpoint_id)
        return endpoint_message(row)

    async def page(
        self, tenant: str, size: int, token: str, *, of_jobs: bool
    ) -> tuple[list[webhook_pb2.WebhookEndpoint], str]:
        """At most *size*, newest first, and the token of the next page."""
        words = json.dumps(["endpoints", tenant, of_jobs])
        fingerprint = hashlib.sha256(words.encode()).hexdigest()[:16]
        query = sa.select(w.webhook_endpoints).where(_ENDPOINTS.tenant == tenant)
        if not of_jobs:
            query = query.where(sa.not_(_ENDPOINTS.of_jobs))
        if token:
            place = read_token(fingerprint, token)
            key = sa.tuple_(_ENDPOINTS.create_time, _ENDPOINTS.endpoint_id)
            query = query.where(key < sa.tuple_(place.created, place.job_id))
        newest = query.order_by(_ENDPOINTS.create_time.desc(), _ENDPOINTS.endpoint_id.desc())
        async with self._database.single() as connection:
            rows = (await connection.execute(newest.limit(size + 1))).mappings().all()
        found = [endpoint_message(row) for row in rows[:size]]
        if len(rows) <= size:
            return found, ""
        last = rows[size - 1]
        return found, write_token(fingerprint, Place(last["create_time"], last["endpoint_id"]))

    async def update(
        self,
        tenant: str,
        endpoint_id: UUID,
        target: webhook_pb2.WebhookTarget | None,
        description: str | None,
    ) -> webhook_pb2.WebhookEndpoint:
        """The endpoint with what is given; None: as it was."""
        changed: dict[str, Any] = {}
        if target is not None:
            changed |= {"url": target.url, "events": events_of(target)}
        if description is not None:
            changed |= {"description": description}
        async with self._database.transaction("update_webhook_endpoint") as connection:
            row = await _locked(connection, tenant, endpoint_id)
            if row["of_jobs"] and target is not None:
                raise EndpointNamedByJobs(endpoint_id)
            return endpoint_message(
                await _written(connection, endpoint_id, changed) if changed else row
            )

    async def pause(self, tenant: str, endpoint_id: UUID) -> webhook_pb2.WebhookEndpoint:
        """Nothing is posted to it from now on, beside what is on its way."""
        async with self._database.transaction("pause_webhook_endpoint") as connection:
            row = await _locked(connection, tenant, endpoint_id)
            paused = domain.pause(endpoint_of(row), BY_OWNER)
            return endpoint_message(await save_endpoint(connection, endpoint_id, row, paused))

    async def resume(self, tenant: str, endpoint_id: UUID) -> webhook_pb2.WebhookEndpoint:
        """It is called again, at once with what has waited."""
        async with self._database.transaction("resume_webhook_endpoint") as connection:
            row = await _locked(connection, tenant, endpoint_id)
            resumed = domain.resume(endpoint_of(row))
            row = await save_endpoint(connection, endpoint_id, row, resumed)
        self._wakeups.webhooks.set()
        return endpoint_message(row)

    async def delete(self, tenant: str, endpoint_id: UUID) -> None:
        """It is gone, with its deliveries, which go first. Again after a part is the same."""
        key, gone = {"of_endpoint": endpoint_id}, AT_ONCE
        while gone == AT_ONCE:
            async with self._database.transaction("delete_webhook_endpoint") as connection:
                await _locked(connection, tenant, endpoint_id)
                gone = (await connection.execute(_EMPTY, key)).rowcount
                if gone < AT_ONCE:
                    await connection.execute(_DELETE, key)


async def lock_endpoint(connection: AsyncConnection, endpoint_id: UUID) -> sa.RowMapping | None:
    """The row of an endpoint, once this transaction alone may change it. None: it is gone."""
    key = {"of_endpoint": endpoint_id}
    return (await connection.execute(_LOCK, key)).mappings().one_or_none()


async def save_endpoint(
    connection: AsyncConnection, endpoint_id: UUID, old: sa.RowMapping, new: domain.Endpoint
) -> sa.RowMapping:
    """Writes what *new* changes about *old*, and holds or lets go its deliveries: the first of
    many. The caller has locked the endpoint."""
    before = endpoint_of(old)
    if new == before:
        return old
    changed = {
        "state": str(new.state),
        "pause_reason": new.pause_reason,
        "failures": new.failures,
        "failing_since": new.failing_since,
    }
    row = await _written(connection, endpoint_id, changed)
    if new.paused and not before.paused:
        await connection.execute(_HOLD, {"of_endpoint": endpoint_id})
    elif before.paused and not new.paused:
        await connection.execute(_LET_GO, {"of_endpoint": endpoint_id})
    return row


async def _locked(connection: AsyncConnection, tenant: str, endpoint_id: UUID) -> sa.RowMapping:
    key = {"of_tenant": tenant, "of_endpoint": endpoint_id}
    row = (await connection.execute(_LOCK_OF_TENANT, key)).mappings().one_or_none()
    if row is None:
        raise EndpointNotFound(endpoint_id)
    return row


async def _written(
    connection: AsyncConnection, endpoint_id: UUID, changed: dict[str, Any]
) -> sa.RowMapping:
    statement = (
        sa.update(w.webhook_endpoints)
        .where(_ENDPOINTS.endpoint_id == endpoint_id)
        .values(**changed, update_time=CLOCK)
        .returning(w.webhook_endpoints)
    )
    row: sa.RowMapping = (await connection.execute(statement)).mappings().one()
    return row


def _of_endpoint(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Deliveries of an endpoint. What others have in hand is left out, and is seen to later."""
    return (
        sa.select(_DELIVERIES.delivery_id)
        .where(_DELIVERIES.endpoint_id == sa.bindparam("of_endpoint"), *conditions)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )


def let_go(those: sa.Select[Any]) -> sa.Update:
    """Within a few seconds, so that an endpoint that is back is not run over."""
    soon = CLOCK + RESUME_SPREAD * sa.func.random()
    # Whoever is posting it still may.
    due = sa.func.greatest(soon, _DELIVERIES.claim_until)
    return (
        sa.update(w.webhook_deliveries)
        .where(_DELIVERIES.delivery_id.in_(those))
        .values(available_at=due, due=due, level=None, relay_until=None)
    )


# Built once: to build a statement takes longer than to run it.
_ONE = sa.select(w.webhook_endpoints).where(
    _ENDPOINTS.tenant == sa.bindparam("of_tenant"),
    _ENDPOINTS.endpoint_id == sa.bindparam("of_endpoint"),
)
_LOCK_OF_TENANT = _ONE.with_for_update()
_LOCK = (
    sa.select(w.webhook_endpoints)
    .where(_ENDPOINTS.endpoint_id == sa.bindparam("of_endpoint"))
    .with_for_update()
)
# Two that create at once must count one another.
_ALONE = sa.select(
    sa.func.pg_advisory_xact_lock(
        sa.func.hashtextextended(
            sa.literal("webhook_endpoints/").concat(sa.bindparam("of_tenant", type_=sa.Text)), 0
        )
    )
)
_COUNT = sa.select(sa.func.count()).where(
    _ENDPOINTS.tenant == sa.bindparam("of_tenant"), sa.not_(_ENDPOINTS.of_jobs)
)
_CREATE = (
    sa.insert(w.webhook_endpoints)
    .values(create_time=CLOCK, update_time=CLOCK)
    .returning(w.webhook_endpoints)
)
_DELETE = sa.delete(w.webhook_endpoints).where(
    _ENDPOINTS.endpoint_id == sa.bindparam("of_endpoint")
)
_EMPTY = sa.delete(w.webhook_deliveries).where(_DELIVERIES.delivery_id.in_(_of_endpoint()))
_PENDING = _DELIVERIES.state == str(DeliveryState.PENDING)
_NOT_HELD = _of_endpoint(_PENDING, _DELIVERIES.available_at.is_not(None))
_HOLD = (
    sa.update(w.webhook_deliveries)
    .where(_DELIVERIES.delivery_id.in_(_NOT_HELD))
    .values(available_at=None)
)
_LET_GO = let_go(_of_endpoint(_PENDING, _DELIVERIES.available_at.is_(None)))
