"""Rows of webhooks, as the domain has them and as callers see them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from mediagen.v1 import webhook_pb2
from store.adapters.projection import timestamp
from store.domain.deliveries import Delivery, DeliveryState, Endpoint, EndpointState


def endpoint_of(row: sa.RowMapping) -> Endpoint:
    """What decides about the endpoint of *row*."""
    return Endpoint(
        state=EndpointState(row["state"]),
        pause_reason=row["pause_reason"],
        failures=row["failures"],
        failing_since=row["failing_since"],
    )


def delivery_of(row: sa.RowMapping) -> Delivery:
    """What decides about the delivery of *row*."""
    return Delivery(
        state=DeliveryState(row["state"]),
        expire_time=row["expire_time"],
        dispatch=row["dispatch"],
        attempts=row["attempts"],
        end_time=row["end_time"],
        due=row["due"],
        available_at=row["available_at"],
        claim_token=row["claim_token"],
        claim_until=row["claim_until"],
    )


def endpoint_message(row: sa.RowMapping) -> webhook_pb2.WebhookEndpoint:
    """The public form of *row*."""
    return webhook_pb2.WebhookEndpoint(
        endpoint_id=str(row["endpoint_id"]),
        url=row["url"],
        events=row["events"],
        description=row["description"],
        state=webhook_pb2.WebhookEndpoint.State.Value(f"STATE_{row['state']}"),
        pause_reason=row["pause_reason"],
        create_time=timestamp(row["create_time"]),
        update_time=timestamp(row["update_time"]),
        failing_since=timestamp(row["failing_since"]),
        of_jobs=row["of_jobs"],
    )


def delivery_message(row: sa.Row[Any]) -> webhook_pb2.WebhookDelivery:
    """The public form of *row*, without its posts."""
    # No available_at: it is over, or held.
    due = row.due if row.available_at is not None else None
    return webhook_pb2.WebhookDelivery(
        delivery_id=str(row.delivery_id),
        endpoint_id=str(row.endpoint_id),
        url=row.url,
        type=row.type,
        job_id=str(row.job_id or ""),
        revision=row.revision,
        state=webhook_pb2.WebhookDelivery.State.Value(f"STATE_{row.state}"),
        create_time=timestamp(row.create_time),
        next_attempt_time=timestamp(due),
        expire_time=timestamp(row.expire_time),
        end_time=timestamp(row.end_time),
        attempt_count=row.attempts,
    )


def post_message(row: sa.Row[Any]) -> webhook_pb2.WebhookAttempt:
    """The public form of one post."""
    post = webhook_pb2.WebhookAttempt(
        number=row.number,
        start_time=timestamp(row.start_time),
        status_code=row.status_code,
        error=row.error,
    )
    post.duration.FromMilliseconds(row.duration_ms)
    return post
