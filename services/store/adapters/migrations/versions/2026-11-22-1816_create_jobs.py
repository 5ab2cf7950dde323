"""Creates the jobs, their ledger of paid calls, their events, and what the loops share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes it."""
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("shut_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shut_reason", sa.Text(), nullable=True),
        sa.Column("shut_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("refill_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
    )
    op.create_table(
        "feed_heads",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_feed_heads")),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", postgresql.BYTEA(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("request_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("progress", sa.SmallInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("mover", sa.Text(), nullable=True),
        sa.Column("dispatch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("work_class", sa.Text(), server_default="default", nullable=False),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("postponements", sa.Integer(), server_default="0", nullable=False),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_request_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_noted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "failure", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("output", postgresql.BYTEA(), nullable=True),
        sa.Column("view", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint(
            "(mover IS NOT DISTINCT FROM 'LEASE') = (lease_owner IS NOT NULL) AND (lease_owner IS NULL) = (lease_until IS NULL) AND (lease_owner IS NULL) = (lease_token IS NULL)",
            name=op.f("ck_jobs_lease_whole"),
        ),
        sa.CheckConstraint(
            "(state IN ('CANCELED', 'COMPLETED', 'FAILED')) = (end_time IS NOT NULL)",
            name=op.f("ck_jobs_end_time_if_final"),
        ),
        sa.CheckConstraint(
            "(state IN ('CANCELED', 'COMPLETED', 'FAILED')) = (mover IS NULL)",
            name=op.f("ck_jobs_one_mover_unless_final"),
        ),
        sa.CheckConstraint(
            "mover <> 'LEASE' OR state = 'RUNNING'", name=op.f("ck_jobs_leased_while_running")
        ),
        sa.CheckConstraint(
            "mover <> 'RECONCILER' OR state = 'RUNNING'", name=op.f("ck_jobs_reconciled_running")
        ),
        sa.CheckConstraint(
            "mover IN ('ADMISSION', 'DISPATCH', 'LEASE', 'RECONCILER')", name=op.f("ck_jobs_mover")
        ),
        sa.CheckConstraint(
            "stage IN ('CANCELING', 'PROCESSING', 'RECONCILING', 'SAVING', 'STARTING', 'SUBMITTING')",
            name=op.f("ck_jobs_stage"),
        ),
        sa.CheckConstraint(
            "stage IS NULL OR state = 'RUNNING'", name=op.f("ck_jobs_stage_while_running")
        ),
        sa.CheckConstraint(
            "state <> 'CANCELED' OR cancel_request_time IS NOT NULL", name=op.f("ck_jobs_asked")
        ),
        sa.CheckConstraint(
            "state <> 'FAILED' OR failure IS NOT NULL", name=op.f("ck_jobs_failed_for_a_reason")
        ),
        sa.CheckConstraint(
            "state <> 'RUNNING' OR start_time IS NOT NULL", name=op.f("ck_jobs_started")
        ),
        sa.CheckConstraint(
            "state IN ('CANCELED', 'COMPLETED', 'FAILED', 'PENDING', 'RUNNING')",
            name=op.f("ck_jobs_state"),
        ),
        sa.CheckConstraint(
            "work_class IN ('default', 'quarantine')", name=op.f("ck_jobs_work_class")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_jobs_progress")),
        sa.CheckConstraint(
            "revision >= 1 AND dispatch >= 0 AND lease_epoch >= 0", name=op.f("ck_jobs_numbers")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("tenant", "job_id", name=op.f("uq_jobs_tenant_job_id")),
        sa.UniqueConstraint("tenant", "request_id", name=op.f("uq_jobs_tenant_request_id")),
    )
    op.create_index(
        "ix_jobs_deadline",
        "jobs",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("mover IS NOT NULL"),
    )
    op.create_index("ix_jobs_labels", "jobs", ["labels"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_jobs_mover",
        "jobs",
        ["mover"],
        unique=False,
        postgresql_where=sa.text("mover IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_jobs_tenant"),
        "jobs",
        ["tenant", sa.literal_column("create_time DESC"), sa.literal_column("job_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["rank_time"],
        unique=False,
        postgresql_where=sa.text("mover = 'ADMISSION'"),
    )
    op.create_table(
        "singletons",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_singletons")),
    )
    op.create_table(
        "workers",
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("seen_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_workers")),
    )
    op.create_table(
        "artifacts",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("output_path", sa.Text(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size_bytes >= 0 AND index >= 0", name=op.f("ck_artifacts_numbers")),
        sa.ForeignKeyConstraint(
            ["tenant", "job_id"],
            ["jobs.tenant", "jobs.job_id"],
            name=op.f("fk_artifacts_tenant_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "job_id", "index", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("object_key", name=op.f("uq_artifacts_object_key")),
    )
    op.create_table(
        "attempts",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("submit_token", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("fingerprint", postgresql.BYTEA(), nullable=False),
        sa.Column("input", postgresql.BYTEA(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("cancel_after", sa.Integer(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("send_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settle_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prediction_id", sa.Text(), nullable=True),
        sa.Column("submit_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("output", postgresql.BYTEA(), nullable=True),
        sa.Column(
            "failure", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("charge", sa.Text(), nullable=False),
        sa.Column("predict_seconds", sa.Double(), nullable=True),
        sa.Column("clear_scans", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unclear_scans", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_scan_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_later", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("in_doubt", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("charge IN ('NO', 'UNKNOWN', 'YES')", name=op.f("ck_attempts_charge")),
        sa.CheckConstraint(
            "prediction_id IS NOT NULL OR state NOT IN ('SUBMITTED', 'SUCCEEDED', 'FAILED', 'CANCELED', 'ABORTED', 'ORPHAN')",
            name=op.f("ck_attempts_id_if_created"),
        ),
        sa.CheckConstraint(
            "prediction_id IS NULL OR state NOT IN ('SUBMITTING', 'UNKNOWN', 'NOT_CREATED')",
            name=op.f("ck_attempts_no_id_if_not_created"),
        ),
        sa.CheckConstraint(
            "state <> 'SUCCEEDED' OR charge = 'YES'", name=op.f("ck_attempts_success_is_paid")
        ),
        sa.CheckConstraint(
            "state IN ('ABORTED', 'CANCELED', 'FAILED', 'NOT_CREATED', 'ORPHAN', 'SUBMITTED', 'SUBMITTING', 'SUCCEEDED', 'UNKNOWN', 'UNRESOLVED', 'WRITTEN_OFF')",
            name=op.f("ck_attempts_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('NOT_CREATED', 'ABORTED') OR charge = 'NO'",
            name=op.f("ck_attempts_free"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_attempts_number")),
        sa.ForeignKeyConstraint(
            ["tenant", "job_id"],
            ["jobs.tenant", "jobs.job_id"],
            name=op.f("fk_attempts_tenant_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "job_id", "number", name=op.f("pk_attempts")),
        sa.UniqueConstraint("submit_token", name=op.f("uq_attempts_submit_token")),
    )
    op.create_index(
        op.f("ix_attempts_create_time_account"),
        "attempts",
        ["create_time", "account"],
        unique=False,
    )
    op.create_index(
        "ix_attempts_parked",
        "attempts",
        ["job_id"],
        unique=False,
        postgresql_where=sa.text("state = 'UNRESOLVED'"),
    )
    op.create_index(
        "uq_attempts_in_doubt",
        "attempts",
        ["account", "fingerprint"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('SUBMITTING', 'UNKNOWN', 'UNRESOLVED') AND prediction_id IS NULL AND in_doubt"
        ),
    )
    op.create_index(
        "uq_attempts_one_per_job",
        "attempts",
        ["tenant", "job_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('SUBMITTED', 'SUBMITTING', 'SUCCEEDED', 'UNKNOWN', 'UNRESOLVED')"
        ),
    )
    op.create_index(
        "uq_attempts_prediction",
        "attempts",
        ["account", "prediction_id"],
        unique=True,
        postgresql_where=sa.text("prediction_id IS NOT NULL"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publish_time", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "job_id"],
            ["jobs.tenant", "jobs.job_id"],
            name=op.f("fk_dead_letters_tenant_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_dead_letters")),
    )
    op.create_index(
        op.f("ix_dead_letters_available_at"),
        "dead_letters",
        ["available_at"],
        unique=False,
        postgresql_where=sa.text("publish_time IS NULL"),
    )
    op.create_table(
        "dispatches",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("dispatch", sa.Integer(), nullable=False),
        sa.Column("work_class", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published", sa.Integer(), server_default="0", nullable=False),
        sa.Column("relay_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "job_id"],
            ["jobs.tenant", "jobs.job_id"],
            name=op.f("fk_dispatches_tenant_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_dispatches")),
    )
    op.create_index(
        op.f("ix_dispatches_available_at"), "dispatches", ["available_at"], unique=False
    )
    op.create_table(
        "events",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("view", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "job_id"],
            ["jobs.tenant", "jobs.job_id"],
            name=op.f("fk_events_tenant_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "job_id", "revision", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_unnumbered",
        "events",
        ["tenant", "event_id"],
        unique=False,
        postgresql_where=sa.text("sequence IS NULL"),
    )
    op.create_index(
        "uq_events_sequence",
        "events",
        ["tenant", "sequence", "job_id"],
        unique=True,
        postgresql_where=sa.text("sequence IS NOT NULL"),
    )
    op.execute("INSERT INTO singletons (name) VALUES ('admission'), ('reconciler')")


def downgrade() -> None:
    """Takes it back."""
    op.drop_index(
        "uq_events_sequence", table_name="events", postgresql_where=sa.text("sequence IS NOT NULL")
    )
    op.drop_index(
        "ix_events_unnumbered", table_name="events", postgresql_where=sa.text("sequence IS NULL")
    )
    op.drop_table("events")
    op.drop_index(op.f("ix_dispatches_available_at"), table_name="dispatches")
    op.drop_table("dispatches")
    op.drop_index(
        op.f("ix_dead_letters_available_at"),
        table_name="dead_letters",
        postgresql_where=sa.text("publish_time IS NULL"),
    )
    op.drop_table("dead_letters")
    op.drop_index(
        "uq_attempts_prediction",
        table_name="attempts",
        postgresql_where=sa.text("prediction_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_attempts_one_per_job",
        table_name="attempts",
        postgresql_where=sa.text(
            "state IN ('SUBMITTED', 'SUBMITTING', 'SUCCEEDED', 'UNKNOWN', 'UNRESOLVED')"
        ),
    )
    op.drop_index(
        "uq_attempts_in_doubt",
        table_name="attempts",
        postgresql_where=sa.text(
            "state IN ('SUBMITTING', 'UNKNOWN', 'UNRESOLVED') AND prediction_id IS NULL AND in_doubt"
        ),
    )
    op.drop_index(
        "ix_attempts_parked",
        table_name="attempts",
        postgresql_where=sa.text("state = 'UNRESOLVED'"),
    )
    op.drop_index(op.f("ix_attempts_create_time_account"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_table("artifacts")
    op.drop_table("workers")
    op.drop_table("singletons")
    op.drop_index(
        "ix_jobs_waiting", table_name="jobs", postgresql_where=sa.text("mover = 'ADMISSION'")
    )
    op.drop_index(op.f("ix_jobs_tenant"), table_name="jobs")
    op.drop_index("ix_jobs_mover", table_name="jobs", postgresql_where=sa.text("mover IS NOT NULL"))
    op.drop_index("ix_jobs_labels", table_name="jobs", postgresql_using="gin")
    op.drop_index(
        "ix_jobs_deadline", table_name="jobs", postgresql_where=sa.text("mover IS NOT NULL")
    )
    op.drop_table("jobs")
    op.drop_table("feed_heads")
    op.drop_table("accounts")
