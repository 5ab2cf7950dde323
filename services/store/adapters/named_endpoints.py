"""Which endpoint is the URL that a job names when it is submitted? One for each URL of a tenant.

It is found or made in the statement that writes the job. Found is not written: all jobs of a busy
caller name the same URL, and would queue for its row. Once a day its time is moved on, so that one
that jobs still name is not forgotten.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from mediagen.v1 import job_pb2
from store.adapters import webhook_tables as w
from store.adapters.endpoints import events_of
from store.domain.deliveries import EndpointState

_FRESH: Final = timedelta(days=1)


def named_endpoint() -> sa.ScalarSelect[Any]:
    """The id of the endpoint, to stand in another statement. Its parameters are new_tenant,
    new_create_time and those of `parameters`."""
    endpoints = w.webhook_endpoints.c
    tenant = sa.bindparam("new_tenant", type_=endpoints.tenant.type)
    url = sa.bindparam("new_webhook_url", type_=endpoints.url.type)
    now = sa.bindparam("new_create_time", type_=endpoints.create_time.type)
    found = (
        sa.select(endpoints.endpoint_id)
        .where(
            endpoints.of_jobs,
            endpoints.tenant == tenant,
            endpoints.url == url,
            endpoints.update_time > now - _FRESH,
        )
        .cte("found_endpoint")
    )
    new = {
        "endpoint_id": sa.bindparam("new_webhook_id", type_=endpoints.endpoint_id.type),
        "tenant": tenant,
        "url": url,
        "events": sa.literal([], type_=endpoints.events.type),  # each job has its own
        "of_jobs": sa.true(),
        "state": sa.literal(str(EndpointState.ENABLED)),
        "create_time": now,
        "update_time": now,
    }
    row = sa.select(*new.values()).where(sa.not_(sa.exists(sa.select(found))))
    made = insert(w.webhook_endpoints).from_select(list(new), row)
    kept = (
        made.on_conflict_do_update(
            index_elements=["tenant", "url"],
            index_where=sa.text("of_jobs"),
            set_={"update_time": made.excluded.update_time},
        )
        .returning(endpoints.endpoint_id)
        .cte("made_endpoint")
    )
    either = sa.union_all(sa.select(found.c.endpoint_id), sa.select(kept.c.endpoint_id)).subquery()
    return sa.select(either.c.endpoint_id).scalar_subquery()


def parameters(request: job_pb2.JobRequest) -> dict[str, Any]:
    """What the endpoint of *request* is found or made by."""
    return {
        "new_webhook_id": uuid4(),
        "new_webhook_url": request.webhook.url,
        "new_webhook_events": events_of(request.webhook),
    }
