"""How long are files kept? Uploads until their time is over, results as long as the settings say.

Here only the records go, in one transaction with the note of which objects to delete; the workers
delete those.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY, insert

from servicekit.lifecycle import Stop
from store.adapters import model_tables as m
from store.adapters import tables as t
from store.adapters.database import BEGUN, CLOCK, Database, Unavailable
from store.adapters.jobs import Jobs
from store.domain.retention import delete_old
from store.loops.pacing import repeat

log = structlog.get_logger()

POLL = 5.0
PASSED_OVER = 60.0  #: seconds
BATCH = 200

_U: Final = m.uploads.c
_A: Final = t.artifacts.c


class Retention:
    """Any number of replicas may sweep. *artifacts*: how long results are kept; None: for ever."""

    def __init__(self, database: Database, jobs: Jobs, artifacts: timedelta | None) -> None:
        self._database = database
        self._jobs = jobs
        self._artifacts = artifacts
        self._passed_over: set[UUID] = set()
        self._looked_again = time.monotonic()

    async def run(self, stop: Stop) -> None:
        """Sweeps until *stop*."""
        await repeat("retention", self.turn, stop, poll=POLL)

    async def turn(self) -> bool:
        """One batch of each. True if there may be more at once."""
        uploads = await self._database.rows(_EXPIRE, {}, "expire_uploads")
        if uploads:
            log.info("uploads.expired", count=len(uploads))
        if self._artifacts is None:
            return len(uploads) == BATCH
        if time.monotonic() - self._looked_again > PASSED_OVER or len(self._passed_over) > BATCH:
            self._passed_over.clear()
            self._looked_again = time.monotonic()
        bounds = {"kept": self._artifacts, "passed_over": list(self._passed_over)}
        old = await self._database.rows(_OLD, bounds)
        done = [await self._delete(row.job_id) for row in old]
        return len(uploads) == BATCH or sum(done) == BATCH

    async def _delete(self, job_id: UUID) -> bool:
        """True if it had results to delete. One that fails keeps no other waiting."""
        assert self._artifacts is not None
        try:
            async with self._jobs.change("delete_artifacts", job_id) as change:
                after = delete_old(change.job, change.now, self._artifacts)
                change.save(after)
        except Unavailable:
            raise
        except Exception:
            log.exception("retention.failed", job_id=str(job_id))
            self._passed_over.add(job_id)
            return False
        if after is not change.job:
            log.info("artifacts.deleted", job_id=str(job_id))
        return after is not change.job


def _expire() -> sa.Select[Any]:
    """Uploads whose time is over go, and their bytes after them."""
    over: sa.Select[Any] = (
        sa.select(_U.tenant, _U.upload_id)
        .where(_U.expire_time <= BEGUN)
        .order_by(_U.expire_time)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    gone = (
        sa.delete(m.uploads)
        .where(sa.tuple_(_U.tenant, _U.upload_id).in_(over))
        .returning(_U.object_key)
        .cte("gone")
    )
    doomed = insert(m.doomed_objects).from_select(
        ["object_key", "create_time", "available_at"], sa.select(gone.c.object_key, CLOCK, CLOCK)
    )
    noted = doomed.on_conflict_do_nothing().returning(m.doomed_objects.c.object_key).cte("noted")
    return sa.select(noted.c.object_key).add_cte(gone)


def _old() -> sa.Select[Any]:
    """Jobs that are over, with results that were kept long enough and that no other may need."""
    jobs = t.jobs.c
    same = (jobs.tenant == _A.tenant) & (jobs.job_id == _A.job_id)
    first = (
        sa.select(_A.job_id)
        .select_from(t.artifacts.join(t.jobs, same))
        .where(
            _A.delete_time.is_(None),
            _A.create_time < BEGUN - sa.bindparam("kept", type_=sa.Interval),
            sa.or_(_A.kept_until.is_(None), _A.kept_until <= BEGUN),
            jobs.end_time.is_not(None),
            sa.not_(_A.job_id == sa.any_(sa.bindparam("passed_over", type_=ARRAY(sa.Uuid)))),
        )
        .order_by(_A.create_time)
        .limit(BATCH)
        .subquery()
    )
    return sa.select(first.c.job_id).distinct()


# Built once: to build a statement takes longer than to run it.
_EXPIRE = _expire()
_OLD = _old()
