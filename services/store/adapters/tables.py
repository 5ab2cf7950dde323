"""The tables, as SQLAlchemy sees them. The migrations make them; a check says both are equal.

jobs ──< attempts      the ledger of paid calls; unique indexes are its last line of defence
     ──< events        one row a revision, numbered into the tenant's feed after the commit
     ──< artifacts     where the results are
     ──1 dispatches    outbox, safety net and redelivery in one
     ──1 dead_letters  what an operator should look at, and what was decided
webhook_endpoints ──< webhook_deliveries ──< webhook_attempts     (webhook_tables.py)
models ──< model_versions, uploads, doomed_objects                (model_tables.py)
feed_heads, workers, accounts, singletons      what the loops share
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from store.domain.states import (
    FINAL,
    OCCUPYING,
    AttemptState,
    Charge,
    LetterState,
    Stage,
    State,
    WorkClass,
)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=NAMES)


def one_of(column: str, words: Any) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in sorted(words))})"


def time_column(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_job(*, cascade: bool = True) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant", "job_id"],
        ["jobs.tenant", "jobs.job_id"],
        ondelete="CASCADE" if cascade else None,
    )


FINAL_STATES = one_of("state", FINAL)
MOVERS = ("ADMISSION", "DISPATCH", "LEASE", "RECONCILER")

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    # What was asked for: never changed. `request` is a serialized JobRequest with masks in the
    # places of its secret inputs; the columns beside it are for filters.
    sa.Column("request", BYTEA, nullable=False),
    sa.Column("request_id", sa.Text),
    sa.Column("request_hash", BYTEA, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),  # to be searched: without a prompt, the title
    sa.Column("labels", JSONB, nullable=False),
    time_column("create_time", nullable=False),
    time_column("deadline", nullable=False),
    time_column("rank_time", nullable=False),
    # What changes.
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),
    sa.Column("progress", sa.SmallInteger),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("mover", sa.Text),
    sa.Column("dispatch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_token", sa.Text),
    time_column("lease_until"),
    sa.Column("work_class", sa.Text, nullable=False, server_default="default"),
    sa.Column("retries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("postponements", sa.Integer, nullable=False, server_default="0"),
    sa.Column("takeovers", sa.Integer, nullable=False, server_default="0"),
    time_column("update_time", nullable=False),
    time_column("start_time"),
    time_column("end_time"),
    time_column("next_attempt_time"),
    time_column("cancel_request_time"),
    sa.Column("deadline_noted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("failure", JSONB(none_as_null=True)),
    sa.Column("output", BYTEA),
    sa.Column("redrive_of", sa.Uuid),
    sa.Column("redriven_as", sa.Uuid),
    sa.Column("log_tail", sa.Text, nullable=False, server_default=""),
    # The URL that the job named when it was submitted, and which events it is told of.
    sa.Column("webhook_endpoint_id", sa.Uuid),
    sa.Column("webhook_events", JSONB(none_as_null=True)),
    # The true values of the secret inputs, a serialized Struct, until the job is final; and what a
    # repeat is compared by, for good. Both null: it took none.
    sa.Column("secrets", BYTEA),
    sa.Column("secrets_digest", BYTEA),
    # The job as callers see it, less its request: a serialized Job, written with every change.
    sa.Column("view", BYTEA, nullable=False),
    sa.UniqueConstraint("tenant", "job_id"),
    sa.UniqueConstraint("tenant", "request_id"),
    sa.CheckConstraint(one_of("state", State), name="state"),
    sa.CheckConstraint(one_of("stage", Stage), name="stage"),
    sa.CheckConstraint(one_of("work_class", WorkClass), name="work_class"),
    sa.CheckConstraint(one_of("mover", MOVERS), name="mover"),
    sa.CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    sa.CheckConstraint("revision >= 1 AND dispatch >= 0 AND lease_epoch >= 0", name="numbers"),
    sa.CheckConstraint(f"({FINAL_STATES}) = (mover IS NULL)", name="one_mover_unless_final"),
    sa.CheckConstraint(f"({FINAL_STATES}) = (end_time IS NOT NULL)", name="end_time_if_final"),
    sa.CheckConstraint("stage IS NULL OR state = 'RUNNING'", name="stage_while_running"),
    sa.CheckConstraint("state <> 'RUNNING' OR start_time IS NOT NULL", name="started"),
    sa.CheckConstraint("state <> 'FAILED' OR failure IS NOT NULL", name="failed_for_a_reason"),
    sa.CheckConstraint(
        "(mover IS NOT DISTINCT FROM 'LEASE') = (lease_owner IS NOT NULL)"
        " AND (lease_owner IS NULL) = (lease_until IS NULL)"
        " AND (lease_owner IS NULL) = (lease_token IS NULL)",
        name="lease_whole",
    ),
    sa.CheckConstraint("mover <> 'LEASE' OR state = 'RUNNING'", name="leased_while_running"),
    sa.CheckConstraint("mover <> 'RECONCILER' OR state = 'RUNNING'", name="reconciled_running"),
    sa.CheckConstraint("state <> 'CANCELED' OR cancel_request_time IS NOT NULL", name="asked"),
    sa.Index(None, "tenant", sa.text("create_time DESC"), sa.text("job_id DESC")),
    sa.Index("ix_jobs_labels", "labels", postgresql_using="gin"),
    sa.Index("ix_jobs_waiting", "rank_time", postgresql_where=sa.text("mover = 'ADMISSION'")),
    # Only what is not final has a mover: the loops never look at the history.
    sa.Index("ix_jobs_mover", "mover", postgresql_where=sa.text("mover IS NOT NULL")),
    sa.Index("ix_jobs_deadline", "deadline", postgresql_where=sa.text("mover IS NOT NULL")),
    # What has ended since a moment, for a watch that missed it; and how long a model's jobs took.
    sa.Index(None, "tenant", "end_time"),
    sa.Index(
        "ix_jobs_completed",
        "model",
        sa.text("end_time DESC"),
        postgresql_where=sa.text("state = 'COMPLETED'"),
    ),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("submit_token", sa.Text, nullable=False, unique=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("fingerprint", BYTEA, nullable=False),
    sa.Column("input", BYTEA, nullable=False),
    sa.Column("seed", sa.Integer),
    sa.Column("cancel_after", sa.Integer, nullable=False),
    time_column("create_time", nullable=False),
    time_column("send_by", nullable=False),
    time_column("settle_until", nullable=False),
    sa.Column("prediction_id", sa.Text),
    time_column("submit_time"),
    time_column("end_time"),
    sa.Column("output", BYTEA),
    sa.Column("failure", JSONB(none_as_null=True)),
    sa.Column("charge", sa.Text, nullable=False),
    sa.Column("predict_seconds", sa.Double),
    sa.Column("metrics", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("clear_scans", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unclear_scans", sa.Integer, nullable=False, server_default="0"),
    time_column("last_scan_time"),
    sa.Column("seen_later", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("model_version", sa.Text),  # the version that ran, as the provider says
    # Cleared once a lost call is too old to be taken for a new one of the same request.
    sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=sa.true()),
    _of_job(),
    sa.CheckConstraint(one_of("state", AttemptState), name="state"),
    sa.CheckConstraint(one_of("charge", Charge), name="charge"),
    sa.CheckConstraint("number >= 1", name="number"),
    sa.CheckConstraint(
        "prediction_id IS NOT NULL OR state NOT IN "
        "('SUBMITTED', 'SUCCEEDED', 'FAILED', 'CANCELED', 'ABORTED', 'ORPHAN')",
        name="id_if_created",
    ),
    sa.CheckConstraint(
        "prediction_id IS NULL OR state NOT IN ('SUBMITTING', 'UNKNOWN', 'NOT_CREATED')",
        name="no_id_if_not_created",
    ),
    sa.CheckConstraint("state <> 'SUCCEEDED' OR charge = 'YES'", name="success_is_paid"),
    sa.CheckConstraint("state NOT IN ('NOT_CREATED', 'ABORTED') OR charge = 'NO'", name="free"),
    sa.Index(None, "create_time", "account"),
    sa.Index("ix_attempts_parked", "job_id", postgresql_where=sa.text("state = 'UNRESOLVED'")),
    # (a) at most one call of a job is live or has succeeded.
    sa.Index(
        "uq_attempts_one_per_job",
        "tenant",
        "job_id",
        unique=True,
        postgresql_where=sa.text(one_of("state", OCCUPYING)),
    ),
    # (b) a prediction belongs to one attempt.
    sa.Index(
        "uq_attempts_prediction",
        "account",
        "prediction_id",
        unique=True,
        postgresql_where=sa.text("prediction_id IS NOT NULL"),
    ),
    # (c) two calls that could not be told apart are never in doubt at the same time.
    sa.Index(
        "uq_attempts_in_doubt",
        "account",
        "fingerprint",
        unique=True,
        postgresql_where=sa.text(
            "state IN ('SUBMITTING', 'UNKNOWN', 'UNRESOLVED')"
            " AND prediction_id IS NULL AND in_doubt"
        ),
    ),
)

dispatches = sa.Table(
    "dispatches",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("dispatch", sa.Integer, nullable=False),
    sa.Column("work_class", sa.Text, nullable=False),
    sa.Column("level", sa.Text),  # the retry queue that it goes through; none: the work queue
    time_column("due", nullable=False),
    time_column("available_at", nullable=False),  # when it is published, or published again
    sa.Column("published", sa.Integer, nullable=False, server_default="0"),
    time_column("relay_until"),  # a relay has it in hand until then
    _of_job(),
    sa.Index(None, "available_at"),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    # What an operator looks through, and what was decided.
    sa.Column("state", sa.Text, nullable=False, server_default="DEAD"),
    sa.Column("model", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("charge", sa.Text, nullable=False, server_default="UNKNOWN"),
    time_column("create_time", nullable=False),
    time_column("resolve_time"),
    # The message that is published to the queue.
    sa.Column("body", BYTEA, nullable=False),
    time_column("available_at", nullable=False),
    time_column("publish_time"),
    _of_job(),
    sa.CheckConstraint(one_of("state", LetterState), name="state"),
    sa.CheckConstraint(one_of("charge", Charge), name="charge"),
    sa.Index(None, "available_at", postgresql_where=sa.text("publish_time IS NULL")),
    sa.Index(None, "state", "create_time", "job_id"),
)

events = sa.Table(
    "events",
    metadata,
    # Ids are by time (UUIDv7), so that the table can be partitioned by job_id: it is in every key.
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("sequence", sa.BigInteger),  # its place in the tenant's feed, given after the commit
    sa.Column("view", BYTEA, nullable=False),
    time_column("create_time", nullable=False),
    # For filters: the state before; none at the first revision, and in rows of before.
    sa.Column("previous_state", sa.Text),
    # The event as webhooks name it ("job.completed"); none: they are not told of it.
    sa.Column("type", sa.Text),
    _of_job(),
    sa.Index(
        "uq_events_sequence",
        "tenant",
        "sequence",
        "job_id",
        unique=True,
        postgresql_where=sa.text("sequence IS NOT NULL"),
    ),
    sa.Index(
        "ix_events_unnumbered",
        "tenant",
        "event_id",
        postgresql_where=sa.text("sequence IS NULL"),
    ),
)

feed_heads = sa.Table(
    "feed_heads",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("index", sa.Integer, primary_key=True),
    sa.Column("object_key", sa.Text, nullable=False, unique=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("output_path", sa.Text, nullable=False),
    time_column("create_time", nullable=False),
    # As far as it could be read: 0 and none otherwise.
    sa.Column("width", sa.Integer, nullable=False, server_default="0"),
    sa.Column("height", sa.Integer, nullable=False, server_default="0"),
    sa.Column("duration_ms", sa.BigInteger),
    # A small picture of it, in an object of its own.
    sa.Column("preview_key", sa.Text, unique=True),
    sa.Column("preview_type", sa.Text),
    sa.Column("preview_width", sa.Integer),
    sa.Column("preview_height", sa.Integer),
    sa.Column("preview_bytes", sa.Integer),
    # Kept long enough: the row stays, the bytes go (doomed_objects).
    time_column("delete_time"),
    time_column("kept_until"),  # a job that takes it as an input may need it until then
    _of_job(),
    sa.CheckConstraint("size_bytes >= 0 AND index >= 0", name="numbers"),
    sa.CheckConstraint("width >= 0 AND height >= 0 AND duration_ms >= 0", name="measures"),
    sa.CheckConstraint(
        "num_nulls(preview_key, preview_type, preview_width, preview_height, preview_bytes)"
        " IN (0, 5)",
        name="preview_whole",
    ),
    sa.Index("ix_artifacts_kept", "create_time", postgresql_where=sa.text("delete_time IS NULL")),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("worker_id", sa.Text, primary_key=True),
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("running", sa.Integer, nullable=False),
    time_column("seen_time", nullable=False),
    # It works with a simulator of the provider.
    sa.Column("simulated", sa.Boolean, nullable=False, server_default=sa.false()),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    time_column("shut_until"),  # 401 or 402: nothing is spent before
    sa.Column("shut_reason", sa.Text),
    sa.Column("shut_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tokens", sa.Double, nullable=False),
    time_column("refill_time", nullable=False),
    # A 429 lowers the rate for a while.
    sa.Column("rate", sa.Double),  # creates a minute after the last 429; none: as configured
    time_column("throttle_time"),  # when the provider last said that there were too many
    time_column("hold_until"),  # it asked to be left alone until then
    sa.Column("throttled_count", sa.BigInteger, nullable=False, server_default="0"),
    # The workers that wait for the rate: [[worker_id, seconds since 1970 when its place is lost]].
    sa.Column("line", JSONB, nullable=False, server_default=sa.text("'[]'")),
)

singletons = sa.Table(
    "singletons",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # "admission", "reconciler", "models sync"
    sa.Column("owner", sa.Text),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    time_column("until"),
)
