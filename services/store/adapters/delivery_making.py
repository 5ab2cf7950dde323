"""Who is told of an event? Deliveries are made with the numbers of the feed.

For each event with a type: the endpoints of its tenant, and the URL that its job named. It is done
in the transaction that numbers the events: once, and at no cost to a change of a job.

Comes from: feed.py. Goes on: loops/webhook_relay.py.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import tables as t
from store.adapters import webhook_tables as w
from store.adapters.database import CLOCK
from store.domain.deliveries import HORIZON, EndpointState

#: Events of one statement, each for up to 50 endpoints: it ends well before its time is over.
AT_ONCE: Final = 100

_E: Final = w.webhook_endpoints.c


async def make_deliveries(connection: AsyncConnection, tenant: str, first: int, last: int) -> bool:
    """Makes a delivery for each event of the numbers *first* to *last* and each endpoint that is
    told of it, in the transaction that gives those numbers: once, whoever numbers. True if any."""
    made = 0
    for begin in range(first, last + 1, AT_ONCE):
        end = min(begin + AT_ONCE - 1, last)
        key = {"of_tenant": tenant, "first": begin, "last": end}
        made += (await connection.execute(_MAKE, key)).rowcount
    return made > 0


def _make() -> sa.Executable:
    events = t.events.c
    endpoints, named = _of_tenant(), _of_jobs()
    moment = sa.select(sa.select(CLOCK.label("now")).cte("clock").c.now).scalar_subquery()
    told = sa.union_all(
        sa.select(events.job_id, events.revision, events.type, *endpoints.c["endpoint_id", "state"])
        .join(endpoints, endpoints.c.events.op("?")(events.type))
        .where(_NUMBERED),
        sa.select(named),
    ).subquery()
    rows = {
        "tenant": sa.bindparam("of_tenant", type_=sa.Text),
        "job_id": told.c.job_id,
        "revision": told.c.revision,
        "type": told.c.type,
        "endpoint_id": told.c.endpoint_id,
        "create_time": moment,
        "expire_time": moment + HORIZON,
        "due": moment,
        "available_at": sa.case((told.c.state == str(EndpointState.ENABLED), moment)),
    }
    made = insert(w.webhook_deliveries).from_select(list(rows), sa.select(*rows.values()))
    return made.on_conflict_do_nothing()


# In both: whoever resumes an endpoint lets go of all that is held, also of what is being made: one
# waits for the other at the endpoint's row.
def _of_tenant() -> sa.CTE:
    """The endpoints that are told of every job of the tenant."""
    return (
        sa.select(_E.endpoint_id, _E.state, _E.events)
        .where(_E.tenant == sa.bindparam("of_tenant"), sa.not_(_E.of_jobs))
        .with_for_update(read=True)
        .cte("of_tenant")
    )


def _of_jobs() -> sa.CTE:
    """The events with the endpoint that their job named."""
    events, jobs = t.events.c, t.jobs.c
    return (
        sa.select(events.job_id, events.revision, events.type, _E.endpoint_id, _E.state)
        .select_from(
            # By the keys alone: given the tenant too, Postgres may read all of the tenant's jobs
            # for each event, as long as it has no statistics.
            t.events.join(t.jobs, jobs.job_id == events.job_id).join(
                w.webhook_endpoints, _E.endpoint_id == jobs.webhook_endpoint_id
            )
        )
        .where(_NUMBERED, jobs.webhook_events.op("?")(events.type))
        .with_for_update(read=True, of=w.webhook_endpoints)
        .cte("of_jobs")
    )


_NUMBERED = (
    (t.events.c.tenant == sa.bindparam("of_tenant"))
    & t.events.c.sequence.between(sa.bindparam("first"), sa.bindparam("last"))
    & t.events.c.type.is_not(None)
)
#: Built once: to build it takes longer than to run it.
_MAKE = _make()
