"""What an operator decides about dead letters, what the provider measured, and a rate that adapts.

It only adds, and the new columns of dead_letters have defaults for a store of the version before
that still runs beside the new one. That one can not bury a job that was parked since (it inserts a
letter that is there): such a job waits until it is gone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LETTERS = "state IN ('DEAD', 'DISCARDED', 'PARKED', 'REDRIVEN', 'RESOLVED')"
CHARGES = "charge IN ('NO', 'UNKNOWN', 'YES')"

CHARGE_OF_JOB = """
    CASE WHEN EXISTS (SELECT FROM attempts a WHERE a.job_id = j.job_id AND a.charge = 'YES')
         THEN 'YES'
         WHEN EXISTS (SELECT FROM attempts a WHERE a.job_id = j.job_id AND a.charge = 'UNKNOWN')
         THEN 'UNKNOWN' ELSE 'NO' END
"""


def upgrade() -> None:
    """Makes it."""
    op.add_column("jobs", sa.Column("redrive_of", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("redriven_as", sa.Uuid(), nullable=True))
    metrics = postgresql.JSONB(astext_type=sa.Text())
    op.add_column(
        "attempts",
        sa.Column("metrics", metrics, server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("accounts", sa.Column("rate", sa.Double(), nullable=True))
    op.add_column("accounts", sa.Column("throttle_time", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "accounts",
        sa.Column("throttled_count", sa.BigInteger(), server_default="0", nullable=False),
    )
    line = sa.Column(
        "line",
        postgresql.JSONB(astext_type=sa.Text()),
        server_default=sa.text("'[]'"),
        nullable=False,
    )
    op.add_column("accounts", line)
    for name, default in (("state", "DEAD"), ("model", ""), ("reason", ""), ("charge", "UNKNOWN")):
        column = sa.Column(name, sa.Text(), server_default=default, nullable=False)
        op.add_column("dead_letters", column)
    op.add_column(
        "dead_letters", sa.Column("resolve_time", sa.DateTime(timezone=True), nullable=True)
    )
    _fill()
    op.create_check_constraint(op.f("ck_dead_letters_state"), "dead_letters", LETTERS)
    op.create_check_constraint(op.f("ck_dead_letters_charge"), "dead_letters", CHARGES)
    op.create_index(
        "ix_dead_letters_state_create_time_job_id",
        "dead_letters",
        ["state", "create_time", "job_id"],
    )


def _fill() -> None:
    """What is known of the dead letters there are, and one for every parked job."""
    op.execute(
        "UPDATE dead_letters d SET model = j.model, reason = j.failure->>'reason', "
        f"charge = {CHARGE_OF_JOB} FROM jobs j WHERE j.job_id = d.job_id"
    )
    # Published already where it can matter: their message would be made by a change of the job.
    op.execute(
        "INSERT INTO dead_letters (job_id, tenant, state, model, reason, charge, create_time, "
        "body, available_at, publish_time) "
        "SELECT j.job_id, j.tenant, 'PARKED', j.model, 'FAILURE_REASON_UNRESOLVED', 'UNKNOWN', "
        "clock_timestamp(), ''::bytea, clock_timestamp(), clock_timestamp() "
        "FROM jobs j WHERE j.mover = 'RECONCILER' AND EXISTS ("
        "SELECT FROM attempts a WHERE a.job_id = j.job_id AND a.state = 'UNRESOLVED') "
        "ON CONFLICT (job_id) DO NOTHING"
    )


def downgrade() -> None:
    """Takes it back."""
    op.drop_index("ix_dead_letters_state_create_time_job_id", table_name="dead_letters")
    op.drop_constraint(op.f("ck_dead_letters_charge"), "dead_letters", type_="check")
    op.drop_constraint(op.f("ck_dead_letters_state"), "dead_letters", type_="check")
    # The version before has letters of failed jobs only, and makes each once.
    op.execute(
        "DELETE FROM dead_letters d USING jobs j WHERE j.job_id = d.job_id AND j.state <> 'FAILED'"
    )
    for name in ("resolve_time", "charge", "reason", "model", "state"):
        op.drop_column("dead_letters", name)
    for name in ("line", "throttled_count", "hold_until", "throttle_time", "rate"):
        op.drop_column("accounts", name)
    op.drop_column("attempts", "metrics")
    op.drop_column("jobs", "redriven_as")
    op.drop_column("jobs", "redrive_of")
