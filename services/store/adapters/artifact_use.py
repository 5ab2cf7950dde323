"""Which results of other jobs does a job use, and how are they kept until it is over?

As the uploads that it uses (upload_use.py): in the statement that writes the job, which moves their
time on. Nothing is deleted before that time, however long results are kept. One that is deleted in
the same instant stays so, and the worker ends the job before anything is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from mediagen.v1 import job_pb2
from store.adapters import tables as t
from store.adapters.upload_use import SPARE

OF_ARTIFACT: Final = "artifact:"

_A: Final = t.artifacts.c


def artifacts_of(request: job_pb2.JobRequest) -> list[tuple[UUID, int]]:
    """The job and the place of each result among the input files of *request*."""
    found = (artifact_of_uri(each.uri) for each in request.input_files)
    return sorted({each for each in found if each is not None})


def artifact_of_uri(uri: str) -> tuple[UUID, int] | None:
    """The job and the place of the artifact that a job's input calls *uri*; None for others."""
    job, slash, place = uri.removeprefix(OF_ARTIFACT).partition("/")
    digits = place.isascii() and place.isdecimal() and len(place) <= 9
    if not uri.startswith(OF_ARTIFACT) or not slash or not digits:
        return None
    try:
        return UUID(job), int(place)
    except ValueError:
        return None


def kept_artifacts() -> sa.CTE:
    """Results with a time moved on, to stand in another statement. Its parameters are new_tenant
    and those of `artifact_parameters`."""
    until = sa.bindparam("new_needed_until", type_=_A.kept_until.type)
    jobs = sa.bindparam("new_artifact_jobs", type_=ARRAY(sa.Uuid))
    places = sa.bindparam("new_artifact_places", type_=ARRAY(sa.Integer))
    named = (
        sa.func.unnest(jobs, places)
        .table_valued(sa.column("job_id", sa.Uuid), sa.column("place", sa.Integer), name="named")
        .render_derived()
    )
    tenant = _A.tenant == sa.bindparam("new_tenant", type_=_A.tenant.type)
    short: sa.Select[Any] = (
        sa.select(_A.job_id, _A.index)
        .join_from(t.artifacts, named, (_A.job_id == named.c.job_id) & (_A.index == named.c.place))
        .where(tenant, _A.delete_time.is_(None))
        .where(sa.or_(_A.kept_until.is_(None), _A.kept_until < until))
        .order_by(_A.job_id, _A.index)  # two jobs that use the same ones wait, and do not lock up
        .with_for_update(of=t.artifacts)
    )
    return (
        sa.update(t.artifacts)
        .where(tenant, sa.tuple_(_A.job_id, _A.index).in_(short))
        .values(kept_until=sa.func.greatest(_A.kept_until, until))
        .returning(_A.job_id)
        .cte("kept_artifacts")
    )


def artifact_parameters(used: Sequence[tuple[UUID, int]], deadline: datetime) -> dict[str, Any]:
    """What `kept_artifacts` goes by."""
    return {
        "new_artifact_jobs": [job_id for job_id, _ in used],
        "new_artifact_places": [place for _, place in used],
        "new_needed_until": deadline + SPARE,
    }
