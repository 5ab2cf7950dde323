"""The catalogue of models, files that jobs take, and what is known of the files they make.

It only adds: a store of the version before goes on beside the new one.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Makes it."""
    op.add_column("attempts", sa.Column("model_version", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("secrets", postgresql.BYTEA(), nullable=True))
    op.add_column("jobs", sa.Column("secrets_digest", postgresql.BYTEA(), nullable=True))
    op.add_column(
        "workers",
        sa.Column("simulated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    _artifacts()
    _models()
    _files()


def _artifacts() -> None:
    op.add_column("artifacts", sa.Column("width", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "artifacts", sa.Column("height", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("artifacts", sa.Column("duration_ms", sa.BigInteger(), nullable=True))
    op.add_column("artifacts", sa.Column("preview_key", sa.Text(), nullable=True))
    op.add_column("artifacts", sa.Column("preview_type", sa.Text(), nullable=True))
    op.add_column("artifacts", sa.Column("preview_width", sa.Integer(), nullable=True))
    op.add_column("artifacts", sa.Column("preview_height", sa.Integer(), nullable=True))
    op.add_column("artifacts", sa.Column("preview_bytes", sa.Integer(), nullable=True))
    op.add_column("artifacts", _time("delete_time"))
    op.add_column("artifacts", _time("kept_until"))
    op.create_unique_constraint(op.f("uq_artifacts_preview_key"), "artifacts", ["preview_key"])
    op.create_check_constraint(
        op.f("ck_artifacts_measures"),
        "artifacts",
        "width >= 0 AND height >= 0 AND duration_ms >= 0",
    )
    op.create_check_constraint(
        op.f("ck_artifacts_preview_whole"),
        "artifacts",
        "num_nulls(preview_key, preview_type, preview_width, preview_height, preview_bytes)"
        " IN (0, 5)",
    )
    op.create_index(
        "ix_artifacts_kept",
        "artifacts",
        ["create_time"],
        postgresql_where=sa.text("delete_time IS NULL"),
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("official", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("output_kind", sa.Text(), server_default="UNSPECIFIED", nullable=False),
        sa.Column("provider_url", sa.Text(), server_default="", nullable=False),
        sa.Column("cover_key", sa.Text(), nullable=True),
        sa.Column("cover_source", sa.Text(), server_default="", nullable=False),
        sa.Column("price_usd", sa.Double(), nullable=True),
        sa.Column("price_unit", sa.Text(), nullable=True),
        sa.Column("usual_seconds", sa.Double(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        _time("create_time", nullable=False),
        _time("read_time"),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("problems", sa.Integer(), server_default="0", nullable=False),
        _time("due_time", nullable=False),
        sa.CheckConstraint("state IN ('KNOWN', 'MISSING', 'UNREAD')", name=op.f("ck_models_state")),
        sa.CheckConstraint(
            "output_kind IN ('AUDIO', 'IMAGE', 'OTHER', 'TEXT', 'UNSPECIFIED', 'VIDEO')",
            name=op.f("ck_models_output_kind"),
        ),
        sa.CheckConstraint(
            "price_unit IN ('MEGAPIXEL', 'OUTPUT', 'OUTPUT_SECOND', 'RUN', 'RUN_SECOND')",
            name=op.f("ck_models_price_unit"),
        ),
        sa.CheckConstraint(
            "(price_usd IS NULL) = (price_unit IS NULL)", name=op.f("ck_models_price_whole")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_models")),
    )
    op.create_index("ix_models_due_time", "models", ["due_time"])
    op.create_table(
        "model_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("input_schema", JSONB, nullable=True),
        sa.Column("output_schema", JSONB, nullable=True),
        _time("create_time", nullable=False),
        _time("read_time"),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("problems", sa.Integer(), server_default="0", nullable=False),
        _time("due_time"),
        sa.CheckConstraint(
            "state IN ('KNOWN', 'MISSING', 'UNREAD')", name=op.f("ck_model_versions_state")
        ),
        sa.CheckConstraint(
            "state <> 'KNOWN' OR input_schema IS NOT NULL",
            name=op.f("ck_model_versions_schema_if_known"),
        ),
        sa.ForeignKeyConstraint(
            ["name"], ["models.name"], name=op.f("fk_model_versions_name"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_model_versions")),
    )
    op.create_index(
        "ix_model_versions_due_time",
        "model_versions",
        ["due_time"],
        postgresql_where=sa.text("due_time IS NOT NULL"),
    )


def _files() -> None:
    op.create_table(
        "uploads",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        _time("create_time", nullable=False),
        _time("expire_time", nullable=False),
        _time("complete_time"),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        _time("use_time"),
        sa.CheckConstraint(
            "num_nulls(complete_time, media_type, size_bytes, sha256) IN (0, 4)",
            name=op.f("ck_uploads_whole"),
        ),
        sa.PrimaryKeyConstraint("tenant", "upload_id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("object_key", name=op.f("uq_uploads_object_key")),
    )
    op.create_index("ix_uploads_expire_time", "uploads", ["expire_time"])
    op.create_index(
        "ix_uploads_unused",
        "uploads",
        ["tenant", "expire_time"],
        postgresql_where=sa.text("use_time IS NULL"),
    )
    op.create_table(
        "doomed_objects",
        sa.Column("object_key", sa.Text(), nullable=False),
        _time("create_time", nullable=False),
        _time("available_at", nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_doomed_objects")),
    )
    op.create_index("ix_doomed_objects_available_at", "doomed_objects", ["available_at"])


def downgrade() -> None:
    """Takes it back. The bytes of uploads, previews and covers are then nobody's, and jobs that
    were given secrets go on without."""
    for table in ("doomed_objects", "uploads", "model_versions", "models"):
        op.drop_table(table)
    op.drop_index("ix_artifacts_kept", table_name="artifacts")
    op.drop_constraint(op.f("ck_artifacts_preview_whole"), "artifacts")
    op.drop_constraint(op.f("ck_artifacts_measures"), "artifacts")
    op.drop_constraint(op.f("uq_artifacts_preview_key"), "artifacts")
    for column in (
        "kept_until", "delete_time", "preview_bytes", "preview_height", "preview_width", "preview_type",
        "preview_key", "duration_ms", "height", "width",
    ):  # fmt: skip
        op.drop_column("artifacts", column)
    op.drop_column("attempts", "model_version")
    op.drop_column("jobs", "secrets_digest")
    op.drop_column("jobs", "secrets")
