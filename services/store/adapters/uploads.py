"""Files that jobs take as inputs: records of uploads, and what an input's words for a file mean.

A row is there before the bytes are, and goes before they do (loops/retention.py): whatever dies in
between, the bytes are found by the row, or by doomed_objects. One whose time is over is not there
any more, also before it is swept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from mediagen.v1 import input_service_pb2, job_pb2
from store.adapters import model_tables as m
from store.adapters import tables as t
from store.adapters.artifact_use import artifact_of_uri
from store.adapters.database import BEGUN, CLOCK, Database
from store.adapters.projection import timestamp
from store.adapters.submissions import new_job_id
from store.adapters.upload_use import SCHEME, upload_id_of
from store.domain.errors import TooManyUploads, UploadNotFound

#: One that is not complete by then is given up.
UNFINISHED: Final = timedelta(hours=1)
MOST_FILES: Final = 100

_U: Final = m.uploads.c
_A: Final = t.artifacts.c


class Uploads:
    """One tenant's at a time: another's are not there. *kept*: for how long after the upload;
    *most*, *most_bytes*: that a tenant may have which no job has used."""

    def __init__(self, database: Database, kept: timedelta, most: int, most_bytes: int) -> None:
        self._database = database
        self._kept = kept
        self._most = most
        self._most_bytes = most_bytes

    async def begin(self, tenant: str, file_name: str) -> tuple[UUID, str]:
        """A new one: its id, and the key for its bytes. TooManyUploads; a few that begin at the
        same time may go beyond."""
        upload_id = new_job_id()
        key = f"{tenant}/uploads/{upload_id}"
        row = {
            "tenant": tenant,
            "upload_id": upload_id,
            "object_key": key,
            "file_name": file_name,
            "kept": UNFINISHED,
            "most": self._most,
            "most_bytes": self._most_bytes,
        }
        if not await self._database.rows(_BEGIN, row, "begin_upload"):
            raise TooManyUploads(self._most, self._most_bytes)
        return upload_id, key

    async def complete(
        self, tenant: str, upload_id: UUID, media_type: str, size_bytes: int, sha256: str
    ) -> input_service_pb2.Upload:
        """Its bytes are stored. Again is the same: what was said first counts. UploadNotFound."""
        values = {
            "of_tenant": tenant,
            "of_upload": upload_id,
            "new_type": media_type,
            "new_size": size_bytes,
            "new_sha256": sha256,
            "kept": self._kept,
        }
        rows = await self._database.rows(_COMPLETE, values, "complete_upload")
        if not rows:
            upload, _ = await self.read(tenant, upload_id)
            return upload
        return _message(rows[0])

    async def read(self, tenant: str, upload_id: UUID) -> tuple[input_service_pb2.Upload, str]:
        """One that is complete, and the key of its bytes. UploadNotFound."""
        key = {"of_tenant": tenant, "of_uploads": [upload_id]}
        rows = await self._database.rows(_READ, key)
        if not rows:
            raise UploadNotFound(upload_id)
        return _message(rows[0]), rows[0].object_key


class InputFiles:
    """What a job's input calls "upload:…" and "artifact:…/…"."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resolve(
        self, tenant: str, files: Sequence[job_pb2.InputFile]
    ) -> list[job_pb2.InputFile]:
        """*files* in their order, completed; without a media type what the tenant has not."""
        found = await self.find(tenant, [each.uri for each in files])
        return [_completed(each, found.get(each.uri)) for each in files]

    async def find(self, tenant: str, uris: Sequence[str]) -> Mapping[str, sa.Row[Any]]:
        """Rows of those that are there, by what they are called."""
        uploads = {uri: each for uri in uris if (each := upload_id_of(uri)) is not None}
        artifacts = {uri: at for uri in uris if (at := artifact_of_uri(uri)) is not None}
        rows: dict[str, sa.Row[Any]] = {}
        if uploads:
            key = {"of_tenant": tenant, "of_uploads": list(set(uploads.values()))}
            by_id = {row.upload_id: row for row in await self._database.rows(_READ, key)}
            rows |= {uri: by_id[each] for uri, each in uploads.items() if each in by_id}
        if artifacts:
            jobs = list({job_id for job_id, _ in artifacts.values()})
            of_jobs = {"of_tenant": tenant, "of_jobs": jobs}
            kept = await self._database.rows(_ARTIFACTS, of_jobs)
            by_place = {(row.job_id, row.place): row for row in kept}
            rows |= {uri: by_place[at] for uri, at in artifacts.items() if at in by_place}
        return rows


def _completed(file: job_pb2.InputFile, row: sa.Row[Any] | None) -> job_pb2.InputFile:
    if row is None:
        return job_pb2.InputFile(path=file.path, uri=file.uri)
    return job_pb2.InputFile(
        path=file.path,
        uri=file.uri,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
    )


def _message(row: sa.Row[Any]) -> input_service_pb2.Upload:
    return input_service_pb2.Upload(
        upload_id=str(row.upload_id),
        uri=f"{SCHEME}{row.upload_id}",
        file_name=row.file_name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        create_time=timestamp(row.create_time),
        expire_time=timestamp(row.expire_time),
    )


_KEPT: Final = sa.bindparam("kept", type_=sa.Interval)


def _begin() -> sa.Insert:
    """The row, unless there are too many. Bytes that are not there yet count for nothing."""
    given = [_U[name] for name in ("tenant", "upload_id", "object_key", "file_name")]
    waiting = (
        sa.select(
            sa.func.count().label("uploads"),
            sa.func.coalesce(sa.func.sum(_U.size_bytes), 0).label("bytes"),
        )
        .where(
            _U.tenant == sa.bindparam("tenant", type_=sa.Text),
            _U.use_time.is_(None),
            _U.expire_time > BEGUN,
        )
        .subquery()
    )
    row = sa.select(*(sa.bindparam(c.name, type_=c.type) for c in given), CLOCK, CLOCK + _KEPT)
    made = row.select_from(waiting).where(
        waiting.c.uploads < sa.bindparam("most", type_=sa.BigInteger),
        waiting.c.bytes < sa.bindparam("most_bytes", type_=sa.BigInteger),
    )
    columns = [*given, _U.create_time, _U.expire_time]
    return sa.insert(m.uploads).from_select(columns, made).returning(_U.upload_id)


# Built once: to build a statement takes longer than to run it.
_BEGIN = _begin()
_COMPLETE = (
    sa.update(m.uploads)
    .where(
        _U.tenant == sa.bindparam("of_tenant"),
        _U.upload_id == sa.bindparam("of_upload"),
        _U.complete_time.is_(None),
        _U.expire_time > CLOCK,
    )
    .values(
        complete_time=CLOCK,
        expire_time=CLOCK + _KEPT,
        media_type=sa.bindparam("new_type"),
        size_bytes=sa.bindparam("new_size"),
        sha256=sa.bindparam("new_sha256"),
    )
    .returning(m.uploads)
)
_READ = sa.select(m.uploads).where(
    _U.tenant == sa.bindparam("of_tenant"),
    _U.upload_id == sa.any_(sa.bindparam("of_uploads", type_=ARRAY(sa.Uuid))),
    _U.complete_time.is_not(None),
    _U.expire_time > CLOCK,
)
_ARTIFACTS = sa.select(
    _A.job_id, _A.index.label("place"), _A.object_key, _A.media_type, _A.size_bytes, _A.sha256,
    sa.literal("").label("file_name"),
).where(
    _A.tenant == sa.bindparam("of_tenant"),
    _A.job_id == sa.any_(sa.bindparam("of_jobs", type_=ARRAY(sa.Uuid))),
    _A.delete_time.is_(None),
)  # fmt: skip
