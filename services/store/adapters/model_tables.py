"""The tables of models and of files. The migrations make them; a check says both are equal.

models ──< model_versions   the catalogue: what the provider's models take
uploads                     files that jobs take as inputs
doomed_objects              objects whose bytes are to be deleted, and why no row names them
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from store.adapters.tables import one_of, time_column
from store.adapters.webhook_tables import metadata as _metadata
from store.domain.models import OutputKind, PriceUnit, ReadState

#: With these and those of the other two: every table there is.
metadata: Final = _metadata

models = sa.Table(
    "models",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    # UNREAD: allowed and wanted, and the provider has not answered. MISSING: it has none.
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("official", sa.Boolean, nullable=False, server_default=sa.false()),
    # What a job runs that names no version: a row of model_versions. '' for an official model.
    sa.Column("version", sa.Text, nullable=False, server_default=""),
    sa.Column("output_kind", sa.Text, nullable=False, server_default="UNSPECIFIED"),
    sa.Column("provider_url", sa.Text, nullable=False, server_default=""),
    sa.Column("cover_key", sa.Text),
    sa.Column("cover_source", sa.Text, nullable=False, server_default=""),
    sa.Column("price_usd", sa.Double),
    sa.Column("price_unit", sa.Text),
    sa.Column("usual_seconds", sa.Double),  # as shipped or by the provider's example
    # Grows with every change of it or of one of its versions; made of the time, so that it goes on
    # growing if the row is made anew.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    time_column("create_time", nullable=False),
    time_column("read_time"),  # when the provider last answered
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("problems", sa.Integer, nullable=False, server_default="0"),  # in a row
    time_column("due_time", nullable=False),  # when the provider is asked next
    sa.CheckConstraint(one_of("state", ReadState), name="state"),
    sa.CheckConstraint(one_of("output_kind", OutputKind), name="output_kind"),
    sa.CheckConstraint(one_of("price_unit", PriceUnit), name="price_unit"),
    sa.CheckConstraint("(price_usd IS NULL) = (price_unit IS NULL)", name="price_whole"),
    sa.Index(None, "due_time"),
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),  # 64 hex; '' for an official model's own
    sa.Column("state", sa.Text, nullable=False),
    # JSON Schemas made of what the provider told, which is not kept.
    sa.Column("input_schema", JSONB(none_as_null=True)),
    sa.Column("output_schema", JSONB(none_as_null=True)),
    time_column("create_time", nullable=False),
    time_column("read_time"),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("problems", sa.Integer, nullable=False, server_default="0"),
    # A version never changes: only one that is not known is asked about. Null: not any more.
    time_column("due_time"),
    sa.ForeignKeyConstraint(["name"], ["models.name"], ondelete="CASCADE"),
    sa.CheckConstraint(one_of("state", ReadState), name="state"),
    sa.CheckConstraint("state <> 'KNOWN' OR input_schema IS NOT NULL", name="schema_if_known"),
    sa.Index(None, "due_time", postgresql_where=sa.text("due_time IS NOT NULL")),
)

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("upload_id", sa.Uuid, primary_key=True),
    sa.Column("object_key", sa.Text, nullable=False, unique=True),
    sa.Column("file_name", sa.Text, nullable=False),
    time_column("create_time", nullable=False),
    time_column("expire_time", nullable=False),  # then the row goes, and the bytes after it
    # Once the bytes are stored.
    time_column("complete_time"),
    sa.Column("media_type", sa.Text),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("sha256", sa.Text),
    time_column("use_time"),  # when a job took it first
    sa.CheckConstraint(
        "num_nulls(complete_time, media_type, size_bytes, sha256) IN (0, 4)", name="whole"
    ),
    sa.Index(None, "expire_time"),
    # How many a tenant has that wait for a job.
    sa.Index(
        "ix_uploads_unused", "tenant", "expire_time", postgresql_where=sa.text("use_time IS NULL")
    ),
)

doomed_objects = sa.Table(
    "doomed_objects",
    metadata,
    sa.Column("object_key", sa.Text, primary_key=True),
    time_column("create_time", nullable=False),
    time_column("available_at", nullable=False),  # when a worker may take it, or take it again
    sa.Index(None, "available_at"),
)
