"""How long did the jobs of a model run lately? Looked up now and then, for all who ask."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import tables as t
from store.domain.line import Runs

MOST_RUNS = 100  #: of a model
MOST_MODELS = 500  #: whose runs are looked up at once
COUNT_FOR = timedelta(days=7)
KEPT = 30.0  #: seconds, in this process


class RecentRuns:
    """Models are told apart letter for letter as jobs named them: "owner/name:version" too."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[float, Runs]] = {}

    async def of(
        self, connection: AsyncConnection, models: Iterable[str], now: datetime
    ) -> Mapping[str, Runs]:
        """The runs of *models*, and of those looked up lately: of each the seconds from the paid
        call to the end of the last jobs, the shortest first."""
        begin = time.monotonic()
        fresh = {m: each for m, each in self._runs.items() if each[0] > begin - KEPT}
        missing = [model for model in models if model not in fresh][:MOST_MODELS]
        if missing:
            wanted = {"models": missing, "since": now - COUNT_FOR}
            found = {r.model: tuple(r.runs) for r in await connection.execute(_RUNS, wanted)}
            fresh.update((model, (begin, found.get(model, ()))) for model in missing)
        self._runs = fresh
        return {model: runs for model, (_, runs) in fresh.items()}


def _runs() -> sa.Select[Any]:
    """How many seconds from the paid call to the end, for the last jobs of each model."""
    jobs, attempts = t.jobs.c, t.attempts.c
    models = sa.bindparam("models", type_=ARRAY(sa.Text))
    wanted = sa.func.unnest(models).table_valued("name").render_derived(name="wanted")
    seconds = sa.extract("epoch", jobs.end_time - attempts.create_time)
    recent = (
        sa.select(sa.cast(seconds, sa.Double).label("seconds"))
        .select_from(
            t.jobs.join(
                t.attempts,
                (attempts.tenant == jobs.tenant)
                & (attempts.job_id == jobs.job_id)
                & (attempts.state == "SUCCEEDED"),
            )
        )
        .where(
            jobs.model == wanted.c.name,
            jobs.state == "COMPLETED",
            jobs.end_time > sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        )
        .order_by(jobs.end_time.desc())
        .limit(MOST_RUNS)
        .lateral("recent")
    )
    # A clock that was set back must not make a run end before it began.
    length = sa.func.greatest(recent.c.seconds, 0.0)
    sorted_ = aggregate_order_by(length, length)
    return (
        sa.select(wanted.c.name.label("model"), sa.func.array_agg(sorted_).label("runs"))
        .select_from(wanted.join(recent, sa.true()))
        .group_by(wanted.c.name)
    )


# Built once: to build a statement takes longer than to run it.
_RUNS = _runs()
