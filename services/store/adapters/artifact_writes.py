"""What does a change write of a job's artifacts? New ones, and which have been kept long enough.

The bytes of those are not deleted here: their keys go into doomed_objects, in the same transaction,
and the workers delete what stands there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import model_tables as m
from store.adapters import tables as t
from store.domain.job import Artifact, Job

# Built once: to build a statement takes longer than to run it.
_LISTED = sa.insert(t.artifacts)
_DELETED = (
    sa.update(t.artifacts)
    .where(
        t.artifacts.c.tenant == sa.bindparam("of_tenant"),
        t.artifacts.c.job_id == sa.bindparam("of_job"),
        t.artifacts.c.index == sa.bindparam("of_index"),
    )
    .values(delete_time=sa.bindparam("deleted"))
)
_DOOMED = insert(m.doomed_objects).on_conflict_do_nothing()


async def write_artifacts(connection: AsyncConnection, old: Job, new: Job, now: datetime) -> None:
    """Writes what differs. What is listed stays as it is, but for its deletion."""
    known = {artifact.index: artifact for artifact in old.artifacts}
    listed = [_row(new, each, now) for each in new.artifacts if each.index not in known]
    if listed:
        await connection.execute(_LISTED, listed)
    gone = [
        each for each in new.artifacts
        if each.delete_time is not None and known[each.index].delete_time is None
    ]  # fmt: skip
    if not gone:
        return
    of_job = {"of_tenant": new.tenant, "of_job": new.job_id}
    await connection.execute(
        _DELETED, [{**of_job, "of_index": each.index, "deleted": each.delete_time} for each in gone]
    )
    previews = [each.preview.object_key for each in gone if each.preview is not None]
    await doom(connection, [*(each.object_key for each in gone), *previews], now)


async def doom(connection: AsyncConnection, object_keys: Iterable[str], now: datetime) -> None:
    """No row names these objects any more: the workers delete them."""
    rows = [{"object_key": key, "create_time": now, "available_at": now} for key in object_keys]
    if rows:
        await connection.execute(_DOOMED, rows)


def _row(job: Job, artifact: Artifact, now: datetime) -> dict[str, Any]:
    preview, length = artifact.preview, artifact.duration
    return {
        "job_id": job.job_id,
        "index": artifact.index,
        "tenant": job.tenant,
        "object_key": artifact.object_key,
        "media_type": artifact.media_type,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        "output_path": artifact.output_path,
        "create_time": now,
        "width": artifact.width,
        "height": artifact.height,
        "duration_ms": None if length is None else round(length.total_seconds() * 1000),
        "preview_key": preview.object_key if preview else None,
        "preview_type": preview.media_type if preview else None,
        "preview_width": preview.width if preview else None,
        "preview_height": preview.height if preview else None,
        "preview_bytes": preview.size_bytes if preview else None,
    }
