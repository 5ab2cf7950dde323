"""What watchers filter by, what the model printed, and webhooks to callers.

It only adds: a store of the version before goes on beside the new one. Events that it writes have
no type, so that webhooks are not told of them until it is gone.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Makes it."""
    op.add_column("jobs", sa.Column("log_tail", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("webhook_endpoint_id", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("webhook_events", JSONB, nullable=True))
    op.create_index("ix_jobs_tenant_end_time", "jobs", ["tenant", "end_time"])
    op.create_index(
        "ix_jobs_completed",
        "jobs",
        ["model", sa.text("end_time DESC")],
        postgresql_where=sa.text("state = 'COMPLETED'"),
    )
    op.add_column("events", sa.Column("previous_state", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("type", sa.Text(), nullable=True))
    _endpoints()
    _deliveries()


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", JSONB, nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("of_jobs", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pause_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        _time("failing_since"),
        _time("create_time", nullable=False),
        _time("update_time", nullable=False),
        sa.CheckConstraint(
            "state IN ('ENABLED', 'PAUSED')", name=op.f("ck_webhook_endpoints_state")
        ),
        sa.CheckConstraint(
            "(failures = 0) = (failing_since IS NULL)", name=op.f("ck_webhook_endpoints_failing")
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        "ix_webhook_endpoints_tenant",
        "webhook_endpoints",
        ["tenant", sa.text("create_time DESC"), sa.text("endpoint_id DESC")],
    )
    op.create_index(
        "ix_webhook_endpoints_of_tenant",
        "webhook_endpoints",
        ["tenant", sa.text("create_time DESC"), sa.text("endpoint_id DESC")],
        postgresql_where=sa.text("NOT of_jobs"),
    )
    op.create_index(
        "ix_webhook_endpoints_named",
        "webhook_endpoints",
        ["update_time"],
        postgresql_where=sa.text("of_jobs"),
    )
    op.create_index(
        "uq_webhook_endpoints_of_jobs",
        "webhook_endpoints",
        ["tenant", "url"],
        unique=True,
        postgresql_where=sa.text("of_jobs"),
    )
    op.create_index(
        "ix_webhook_endpoints_paused",
        "webhook_endpoints",
        ["tenant"],
        postgresql_where=sa.text("state = 'PAUSED'"),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("previous_key", sa.Text(), nullable=True),
        _time("previous_expire_time"),
        sa.CheckConstraint(
            "(previous_key IS NULL) = (previous_expire_time IS NULL)",
            name=op.f("ck_webhook_secrets_previous_whole"),
        ),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_webhook_secrets")),
    )


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column(
            "delivery_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="PENDING", nullable=False),
        _time("create_time", nullable=False),
        _time("expire_time", nullable=False),
        _time("end_time"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("dispatch", sa.Integer(), server_default="1", nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        _time("due"),
        _time("available_at"),
        sa.Column("published", sa.Integer(), server_default="0", nullable=False),
        _time("relay_until"),
        sa.Column("claim_token", sa.Text(), nullable=True),
        _time("claim_until"),
        sa.CheckConstraint(
            "state IN ('DELIVERED', 'FAILED', 'PENDING')", name=op.f("ck_webhook_deliveries_state")
        ),
        sa.CheckConstraint(
            "(state = 'PENDING') = (end_time IS NULL)",
            name=op.f("ck_webhook_deliveries_end_time_if_ended"),
        ),
        sa.CheckConstraint(
            "state = 'PENDING' OR available_at IS NULL",
            name=op.f("ck_webhook_deliveries_waits_while_pending"),
        ),
        sa.CheckConstraint(
            "(claim_token IS NULL) = (claim_until IS NULL)",
            name=op.f("ck_webhook_deliveries_claim_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.endpoint_id"],
            name=op.f("fk_webhook_deliveries_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_webhook_deliveries")),
    )
    _delivery_indexes()
    op.create_table(
        "webhook_attempts",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _time("start_time", nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.delivery_id"],
            name=op.f("fk_webhook_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_webhook_attempts")),
    )


def _delivery_indexes() -> None:
    table = "webhook_deliveries"
    op.create_index(
        "ix_webhook_deliveries_tenant",
        table,
        ["tenant", sa.text("create_time DESC"), sa.text("delivery_id DESC")],
    )
    op.create_index(
        "ix_webhook_deliveries_endpoint_id",
        table,
        ["endpoint_id", sa.text("create_time DESC")],
    )
    op.create_index("ix_webhook_deliveries_job_id", table, ["job_id"])
    op.create_index(
        "ix_webhook_deliveries_available_at",
        table,
        ["available_at"],
        postgresql_where=sa.text("available_at IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_deliveries_expire_time",
        table,
        ["expire_time"],
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    op.create_index(
        "ix_webhook_deliveries_end_time",
        table,
        ["end_time"],
        postgresql_where=sa.text("end_time IS NOT NULL"),
    )
    op.create_index(
        "uq_webhook_deliveries_event",
        table,
        ["endpoint_id", "job_id", "revision"],
        unique=True,
        postgresql_where=sa.text("job_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Takes it back. Endpoints and what was to be told to them are gone then."""
    for table in (
        "webhook_attempts", "webhook_deliveries", "webhook_secrets", "webhook_endpoints",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_column("events", "type")
    op.drop_column("events", "previous_state")
    op.drop_index("ix_jobs_completed", table_name="jobs")
    op.drop_index("ix_jobs_tenant_end_time", table_name="jobs")
    op.drop_column("jobs", "webhook_events")
    op.drop_column("jobs", "webhook_endpoint_id")
    op.drop_column("jobs", "log_tail")
