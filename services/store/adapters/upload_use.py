"""Which uploads does a job use, and how are they kept until it is over?

In the statement that writes the job, which notes their first use and moves their time on. After the
first it rarely has to: uploads are kept longer than most jobs may take. One that is gone by then
stays so, and the worker ends the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from mediagen.v1 import job_pb2
from store.adapters import model_tables as m
from store.adapters.database import CLOCK

#: Beyond the job's deadline: its result may still be stored, and the job be made again.
SPARE: Final = timedelta(days=1)
SCHEME: Final = "upload:"

_U: Final = m.uploads.c


def uploads_of(request: job_pb2.JobRequest) -> list[UUID]:
    """The uploads among the input files of *request*."""
    found = (upload_id_of(each.uri) for each in request.input_files)
    return sorted({each for each in found if each is not None})


def upload_id_of(uri: str) -> UUID | None:
    """The upload that a job's input calls *uri*; None for anything else."""
    if not uri.startswith(SCHEME):
        return None
    try:
        return UUID(uri.removeprefix(SCHEME))
    except ValueError:
        return None


def kept_uploads() -> sa.CTE:
    """Uploads with a time moved on, to stand in another statement. Its parameters are new_tenant
    and those of `kept_parameters`."""
    until = sa.bindparam("new_kept_until", type_=_U.expire_time.type)
    short: sa.Select[Any] = (
        sa.select(_U.upload_id)
        .where(
            _U.tenant == sa.bindparam("new_tenant", type_=_U.tenant.type),
            _U.upload_id == sa.any_(sa.bindparam("new_uploads", type_=ARRAY(sa.Uuid))),
            _U.complete_time.is_not(None),
            sa.or_(_U.expire_time < until, _U.use_time.is_(None)),
        )
        .order_by(_U.upload_id)  # two jobs that use the same ones wait, and do not lock up
        .with_for_update()
    )
    return (
        sa.update(m.uploads)
        .where(
            _U.tenant == sa.bindparam("new_tenant", type_=_U.tenant.type), _U.upload_id.in_(short)
        )
        .values(
            expire_time=sa.func.greatest(_U.expire_time, until),
            use_time=sa.func.coalesce(_U.use_time, CLOCK),
        )
        .returning(_U.upload_id)
        .cte("kept_uploads")
    )


def kept_parameters(uploads: Sequence[UUID], deadline: datetime) -> dict[str, Any]:
    """What `kept_uploads` goes by."""
    return {"new_uploads": list(uploads), "new_kept_until": deadline + SPARE}
