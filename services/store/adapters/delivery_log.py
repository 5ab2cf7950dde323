"""Which deliveries are there, and what became of each post? And: post one again, or a ping."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from mediagen.v1 import webhook_pb2
from store.adapters import webhook_tables as w
from store.adapters.database import CLOCK, Database
from store.adapters.deliveries import save_delivery
from store.adapters.page_tokens import Place, read_token, write_token
from store.adapters.wakeups import Wakeups
from store.adapters.webhook_rows import delivery_message, delivery_of, post_message
from store.domain.deliveries import HORIZON, PING, DeliveryState, EndpointState, redeliver
from store.domain.errors import DeliveryNotFound, EndpointNotFound, EndpointPaused

ATTEMPTS_SHOWN: Final = 20

_D: Final = w.webhook_deliveries.c
_E: Final = w.webhook_endpoints.c


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries of a tenant to list. Unset parts filter nothing."""

    tenant: str
    endpoint_id: UUID | None = None
    job_id: UUID | None = None
    states: tuple[DeliveryState, ...] = ()

    def fingerprint(self) -> str:
        """What a page token is bound to."""
        words = json.dumps(
            ["deliveries", self.tenant, str(self.endpoint_id), str(self.job_id),
             sorted(self.states)]
        )  # fmt: skip
        return hashlib.sha256(words.encode()).hexdigest()[:16]


class DeliveryLog:
    """One tenant's deliveries at a time: another's are not there."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups

    async def get(self, tenant: str, delivery_id: UUID) -> webhook_pb2.WebhookDelivery:
        """The delivery with its newest posts."""
        rows = await self._database.rows(_ONE, {"of_tenant": tenant, "of_delivery": delivery_id})
        if not rows:
            raise DeliveryNotFound(delivery_id)
        delivery = delivery_message(rows[0])
        posts = await self._database.rows(_POSTS, {"of_delivery": delivery_id})
        delivery.attempts.extend(post_message(row) for row in reversed(posts))
        return delivery

    async def page(
        self, filter_: DeliveryFilter, size: int, token: str
    ) -> tuple[list[webhook_pb2.WebhookDelivery], str]:
        """At most *size*, newest first, and the token of the next page."""
        fingerprint = filter_.fingerprint()
        query = _SHOWN.where(_D.tenant == filter_.tenant)
        if filter_.endpoint_id is not None:
            query = query.where(_D.endpoint_id == filter_.endpoint_id)
        if filter_.job_id is not None:
            query = query.where(_D.job_id == filter_.job_id)
        if filter_.states:
            query = query.where(_D.state.in_([str(each) for each in filter_.states]))
        if token:
            place = read_token(fingerprint, token)
            key = sa.tuple_(_D.create_time, _D.delivery_id)
            query = query.where(key < sa.tuple_(place.created, place.job_id))
        query = query.order_by(_D.create_time.desc(), _D.delivery_id.desc()).limit(size + 1)
        rows = await self._database.rows(query, {})
        found = [delivery_message(row) for row in rows[:size]]
        if len(rows) <= size:
            return found, ""
        last = rows[size - 1]
        return found, write_token(fingerprint, Place(last.create_time, last.delivery_id))

    async def redeliver(self, tenant: str, delivery_id: UUID) -> webhook_pb2.WebhookDelivery:
        """The delivery, to be posted again at once. EndpointPaused where nothing is posted."""
        key = {"of_tenant": tenant, "of_delivery": delivery_id}
        async with self._database.transaction("redeliver_webhook") as connection:
            found = (await connection.execute(_LOCK_PLACE, key)).one_or_none()
            if found is None:
                raise DeliveryNotFound(delivery_id)
            if found.state == EndpointState.PAUSED:
                raise EndpointPaused(found.endpoint_id)
            row = (await connection.execute(_LOCK, key)).mappings().one_or_none()
            if row is None:
                raise DeliveryNotFound(delivery_id)
            again = redeliver(delivery_of(row), row["now"])
            await save_delivery(connection, delivery_id, again, row["now"])
            shown = (await connection.execute(_ONE, key)).one()
        self._wakeups.webhooks.set()
        return delivery_message(shown)

    async def ping(self, tenant: str, endpoint_id: UUID) -> webhook_pb2.WebhookDelivery:
        """A new delivery that tells of nothing. EndpointPaused where nothing is posted."""
        delivery_id = uuid4()
        key = {"of_tenant": tenant, "of_endpoint": endpoint_id}
        async with self._database.transaction("ping_webhook_endpoint") as connection:
            endpoint = (await connection.execute(_LOCK_ENDPOINT, key)).one_or_none()
            if endpoint is None:
                raise EndpointNotFound(endpoint_id)
            if endpoint.state == EndpointState.PAUSED:
                raise EndpointPaused(endpoint_id)
            new = {"delivery_id": delivery_id, "tenant": tenant, "endpoint_id": endpoint_id}
            await connection.execute(_PING, new)
            of_new = {"of_tenant": tenant, "of_delivery": delivery_id}
            shown = (await connection.execute(_ONE, of_new)).one()
        self._wakeups.webhooks.set()
        return delivery_message(shown)


# Built once: to build a statement takes longer than to run it.
_SHOWN = sa.select(w.webhook_deliveries, _E.url).join_from(
    w.webhook_deliveries, w.webhook_endpoints, _E.endpoint_id == _D.endpoint_id
)
_OURS = (_D.tenant == sa.bindparam("of_tenant")) & (_D.delivery_id == sa.bindparam("of_delivery"))
_ONE = _SHOWN.where(_OURS)
_POSTS = (
    sa.select(w.webhook_attempts)
    .where(w.webhook_attempts.c.delivery_id == sa.bindparam("of_delivery"))
    .order_by(w.webhook_attempts.c.number.desc())
    .limit(ATTEMPTS_SHOWN)
)
# The endpoint first, as everybody does: shared, so that it is not paused in between.
_LOCK_PLACE = (
    sa.select(_E.endpoint_id, _E.state)
    .join_from(w.webhook_deliveries, w.webhook_endpoints, _E.endpoint_id == _D.endpoint_id)
    .where(_OURS)
    .with_for_update(read=True, of=w.webhook_endpoints)
)
_LOCK = sa.select(w.webhook_deliveries, CLOCK.label("now")).where(_OURS).with_for_update()
_LOCK_ENDPOINT = (
    sa.select(_E.endpoint_id, _E.state)
    .where(_E.tenant == sa.bindparam("of_tenant"), _E.endpoint_id == sa.bindparam("of_endpoint"))
    .with_for_update(read=True)
)
_PING = sa.insert(w.webhook_deliveries).values(
    type=PING, create_time=CLOCK, expire_time=CLOCK + HORIZON, due=CLOCK, available_at=CLOCK
)
