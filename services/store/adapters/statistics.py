"""How did it go in the last while? Counted from the rows; no counter is kept beside them.

Whoever asks for the same window meanwhile waits for the same count, and what was counted is told
for a while: the longer the count took, the longer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mediagen.v1 import failure_pb2
from mediagen.v1 import operator_service_pb2 as pb
from store.adapters import statistics_sql as sql
from store.adapters.database import CLOCK, Database, Unavailable
from store.adapters.projection import duration, timestamp
from store.domain.statistics import unfinished_after

KEPT = 3.0  #: seconds
LONGEST_KEPT = 60.0
TIMES_AS_LONG = 20  #: as it took, at least: a twentieth of one connection goes to a window
MOST_WINDOWS = 50
MOST_COUNTED = 5  #: windows that wait to be counted: whoever asks for more of them asks again

Window = tuple[timedelta, int]


class Statistics:
    """Counts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: dict[Window, tuple[float, pb.GetStatisticsResponse]] = {}
        self._counting: dict[Window, asyncio.Task[pb.GetStatisticsResponse]] = {}
        self._alone = asyncio.Lock()

    async def of(self, length: timedelta, steps: int) -> pb.GetStatisticsResponse:
        """The last *length*, in so many *steps*. Unavailable if too many others are counted."""
        window = (length, steps)
        until, told = self._told.get(window, (0.0, None))
        if told is not None and time.monotonic() < until:
            return told
        counting = self._counting.get(window)
        if counting is None:
            if len(self._counting) >= MOST_COUNTED:
                raise Unavailable
            counting = asyncio.create_task(self._count(window))
            self._counting[window] = counting
            counting.add_done_callback(lambda _: self._counting.pop(window, None))
        return await asyncio.shield(counting)  # one who no longer waits stops nobody

    async def _count(self, window: Window) -> pb.GetStatisticsResponse:
        async with self._alone:  # however many windows are asked for, one connection is enough
            begin = time.monotonic()
            told = await self._read(*window)
            took = time.monotonic() - begin
        if len(self._told) >= MOST_WINDOWS:
            self._told.clear()
        kept = min(max(KEPT, took * TIMES_AS_LONG), LONGEST_KEPT)
        self._told[window] = (time.monotonic() + kept, told)
        return told

    async def _read(self, length: timedelta, steps: int) -> pb.GetStatisticsResponse:
        async with self._database.single() as connection:
            as_of: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
            begin = as_of - length
            bounds = {"begin": begin, "as_of": as_of, "steps": steps}

            async def rows(statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
                found: Sequence[sa.Row[Any]] = (await connection.execute(statement, bounds)).all()
                return found

            by_step: dict[int, dict[str, Any]] = {}
            for statement in (sql.ENDED, sql.TAKEN, sql.SUBMITTED, sql.CALLS):
                for row in await rows(statement):
                    by_step[row.step] = by_step.get(row.step, {}) | dict(row._mapping)
            models, reasons = await rows(sql.MODELS), await rows(sql.REASONS)
            [unfinished] = await rows(sql.UNFINISHED)
        return pb.GetStatisticsResponse(
            as_of=timestamp(as_of),
            step=duration(length / steps),
            steps=_steps(begin, length / steps, steps, by_step, unfinished.jobs),
            models=[_model(row) for row in models],
            failures=[_failure(row) for row in reasons],
        )


def _steps(
    begin: datetime,
    each_lasts: timedelta,
    count: int,
    found: Mapping[int, Mapping[str, Any]],
    unfinished: int,
) -> list[pb.StatisticsStep]:
    counted = [found.get(number, {}) for number in range(count)]
    ends = ("completed", "failed", "canceled")
    came = [each.get("submitted", 0) for each in counted]
    went = [sum(each.get(name, 0) for name in ends) for each in counted]
    left = unfinished_after(came, went, unfinished)
    return [
        pb.StatisticsStep(
            start_time=timestamp(begin + number * each_lasts),
            submitted=came[number],
            **{name: each.get(name, 0) for name in (*ends, "calls")},
            unfinished=left[number],
            wait=_times(each.get("wait")),
            total=_times(each.get("total")),
        )
        for number, each in enumerate(counted)
    ]


def _model(row: sa.Row[Any]) -> pb.ModelStatistics:
    return pb.ModelStatistics(
        model=row.model, completed=row.completed, failed=row.failed, total=_times(row.total)
    )


def _failure(row: sa.Row[Any]) -> pb.FailureStatistics:
    known = failure_pb2.FailureReason.DESCRIPTOR.values_by_name.get(row.reason)
    reason = failure_pb2.FailureReason.ValueType(known.number if known is not None else 0)
    return pb.FailureStatistics(reason=reason, jobs=row.jobs)


def _times(points: Sequence[float] | None) -> pb.StatisticsTimes | None:
    if points is None:
        return None
    p50, p90, p99 = points
    return pb.StatisticsTimes(p50_seconds=p50, p90_seconds=p90, p99_seconds=p99)
