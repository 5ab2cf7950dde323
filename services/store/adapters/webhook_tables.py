"""The tables of webhooks to callers. The migrations make them; a check says both are equal.

webhook_endpoints ──< webhook_deliveries ──< webhook_attempts
webhook_secrets      one row a tenant
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from store.adapters.tables import metadata as _metadata
from store.adapters.tables import one_of, time_column
from store.domain.deliveries import DeliveryState, EndpointState

#: With these and those of tables.py; model_tables.py has the rest.
metadata: Final = _metadata

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("endpoint_id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", JSONB, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    # Not made by itself: jobs named its URL, and each is told only of itself.
    sa.Column("of_jobs", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("pause_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    time_column("failing_since"),
    time_column("create_time", nullable=False),
    time_column("update_time", nullable=False),
    sa.CheckConstraint(one_of("state", EndpointState), name="state"),
    sa.CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="failing"),
    sa.Index(None, "tenant", sa.text("create_time DESC"), sa.text("endpoint_id DESC")),
    # The few that are told of every job, among any number of URLs that jobs named.
    sa.Index(
        "ix_webhook_endpoints_of_tenant",
        "tenant",
        sa.text("create_time DESC"),
        sa.text("endpoint_id DESC"),
        postgresql_where=sa.text("NOT of_jobs"),
    ),
    sa.Index("ix_webhook_endpoints_named", "update_time", postgresql_where=sa.text("of_jobs")),
    sa.Index(
        "uq_webhook_endpoints_of_jobs",
        "tenant",
        "url",
        unique=True,
        postgresql_where=sa.text("of_jobs"),
    ),
    # Few of very many: jobs may name a URL each.
    sa.Index("ix_webhook_endpoints_paused", "tenant", postgresql_where=sa.text("state = 'PAUSED'")),
)


webhook_secrets = sa.Table(
    "webhook_secrets",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("previous_key", sa.Text),
    time_column("previous_expire_time"),
    sa.CheckConstraint(
        "(previous_key IS NULL) = (previous_expire_time IS NULL)", name="previous_whole"
    ),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    # It is the webhook-id too, so it stays the same over all posts.
    sa.Column(
        "delivery_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")
    ),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("endpoint_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    # None: a ping. No foreign key: its check would wait for the job's lock, and with it the feed.
    sa.Column("job_id", sa.Uuid),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False, server_default="PENDING"),
    time_column("create_time", nullable=False),
    time_column("expire_time", nullable=False),
    time_column("end_time"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # The outbox, as dispatches has it. No available_at: held, since the endpoint is paused.
    sa.Column("dispatch", sa.Integer, nullable=False, server_default="1"),
    sa.Column("level", sa.Text),
    time_column("due"),
    time_column("available_at"),
    sa.Column("published", sa.Integer, nullable=False, server_default="0"),
    time_column("relay_until"),
    # Who posts it: a claim is over when its time is, or when its outcome is recorded.
    sa.Column("claim_token", sa.Text),
    time_column("claim_until"),
    sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"], ondelete="CASCADE"),
    sa.CheckConstraint(one_of("state", DeliveryState), name="state"),
    sa.CheckConstraint("(state = 'PENDING') = (end_time IS NULL)", name="end_time_if_ended"),
    sa.CheckConstraint("state = 'PENDING' OR available_at IS NULL", name="waits_while_pending"),
    sa.CheckConstraint("(claim_token IS NULL) = (claim_until IS NULL)", name="claim_whole"),
    sa.Index(None, "tenant", sa.text("create_time DESC"), sa.text("delivery_id DESC")),
    sa.Index(None, "endpoint_id", sa.text("create_time DESC")),
    sa.Index(None, "job_id"),
    sa.Index(None, "available_at", postgresql_where=sa.text("available_at IS NOT NULL")),
    sa.Index(None, "expire_time", postgresql_where=sa.text("state = 'PENDING'")),
    sa.Index(None, "end_time", postgresql_where=sa.text("end_time IS NOT NULL")),
    # An event is told to an endpoint once.
    sa.Index(
        "uq_webhook_deliveries_event",
        "endpoint_id",
        "job_id",
        "revision",
        unique=True,
        postgresql_where=sa.text("job_id IS NOT NULL"),
    ),
)

webhook_attempts = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column("delivery_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    time_column("start_time", nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("status_code", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["delivery_id"], ["webhook_deliveries.delivery_id"], ondelete="CASCADE"
    ),
)
