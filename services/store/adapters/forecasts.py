"""What does the store tell about when jobs may be taken and done? Read once for all who ask.

A few statements look at the whole line, whoever asks (line.py); what they find is told for MAX_AGE,
and those who ask meanwhile wait for the same reading. What follows from it is in
domain/forecasting.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from random import Random
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from mediagen.v1 import attempt_pb2, generation_service_pb2, job_pb2
from store.adapters.database import Database, Unavailable
from store.adapters.line import LineReader, Seen
from store.adapters.projection import timestamp
from store.adapters.recent_runs import RecentRuns
from store.adapters.submissions import rank_time
from store.domain.forecasting import Forecast, Outlook
from store.domain.line import Busy, Line, last_call, play
from store.domain.states import Stage

MAX_AGE = 1.5  #: seconds; with the reading itself, an answer is at most two seconds old
LONGEST_WAIT = 1.0  #: seconds that a read of a job waits for its forecast
MOST_TOLD = 5_000
MOST_PLAYED = 1_000  #: behind them the line is taken to go on at the same pace
SEED = 4  # always the same: what did not change is not told to have moved

_ONGOING: Final = (job_pb2.Job.STATE_PENDING, job_pb2.Job.STATE_RUNNING)
_UNCLEAR: Final = (job_pb2.Job.STAGE_RECONCILING, job_pb2.Job.STAGE_CANCELING)
_UNCLEAR_WORDS: Final = (Stage.RECONCILING, Stage.CANCELING)
_MADE: Final = (
    attempt_pb2.Attempt.STATE_SUBMITTING,
    attempt_pb2.Attempt.STATE_SUBMITTED,
    attempt_pb2.Attempt.STATE_SUCCEEDED,
)


class Forecasts:
    """Tells it. *limit* is the configured number of creates a minute."""

    def __init__(self, database: Database, limit: float, runs: RecentRuns) -> None:
        self._reader = LineReader(database, limit, runs)
        self._told: Told | None = None
        self._until = 0.0
        self._reading: asyncio.Task[Told] | None = None

    async def of_tenant(self, tenant: str) -> Sequence[generation_service_pb2.JobForecast]:
        """Of its jobs that are not final, the next to be taken first, then those taken."""
        return await asyncio.to_thread((await self._now()).of_tenant, tenant)

    async def add(self, jobs: Iterable[job_pb2.Job]) -> None:
        """Sets the forecast of each of *jobs* that is not final, if it can be had in time."""
        ongoing = [job for job in jobs if job.state in _ONGOING]
        if not ongoing:
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                told = await self._now()
        except (Unavailable, TimeoutError):
            return  # the jobs themselves could be read: they are worth more than an estimate
        for job in ongoing:
            job.forecast.CopyFrom(forecast_message(told.of(job)))

    async def _now(self) -> Told:
        if self._told is not None and time.monotonic() < self._until:
            return self._told
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)  # one who no longer waits stops nobody

    async def _read(self) -> Told:
        try:
            begin = time.monotonic()
            seen = await self._reader.read()
            # A long line takes tens of milliseconds, which calls need not wait for.
            told = await asyncio.to_thread(Told, seen)
            self._told, self._until = told, begin + MAX_AGE
            return told
        finally:
            self._reading = None


class Told:
    """What one reading says about each job."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        moving = [row for row in seen.moving if row.state == "PENDING"]
        due = [row for row in moving if (row.next_attempt_time or seen.now) <= seen.now]
        self._line = sorted((*seen.waiting, *due), key=lambda row: (row.rank_time, row.job_id))
        self._retrying = [row for row in moving if (row.next_attempt_time or seen.now) > seen.now]
        self._retrying.sort(key=lambda row: (row.next_attempt_time, row.job_id))
        self._running = [row for row in seen.moving if row.state != "PENDING"]
        self._outlook = self._play()
        self._messages: dict[str, list[generation_service_pb2.JobForecast]] = {}

    def of_tenant(self, tenant: str) -> Sequence[generation_service_pb2.JobForecast]:
        """Of all its jobs that were read."""
        if tenant not in self._messages:
            self._messages[tenant] = [
                generation_service_pb2.JobForecast(
                    job_id=str(row.job_id), forecast=forecast_message(told)
                )
                for row, told in islice(self._forecasts(tenant), MOST_TOLD)
            ]
        return self._messages[tenant]

    def of(self, job: job_pb2.Job) -> Forecast:
        """Of a job as it was read just now, which may be later than this was."""
        model = job.request.model
        deadline = job.deadline.ToDatetime(tzinfo=UTC)
        if job.state == job_pb2.Job.STATE_PENDING:
            created = job.create_time.ToDatetime(tzinfo=UTC)
            rank = (rank_time(created, job.request.priority), UUID(job.job_id))
            due = job.next_attempt_time.ToDatetime(tzinfo=UTC)
            if job.HasField("next_attempt_time") and due > self._seen.now:
                return self._outlook.retrying(model, rank, deadline, due)
            return self._outlook.waiting(model, rank, deadline)
        if job.stage in _UNCLEAR:
            return self._outlook.unclear(model)
        call = job.attempts[-1] if job.attempts else None
        made = call is not None and call.state in _MADE
        since = call.create_time.ToDatetime(tzinfo=UTC) if call is not None and made else None
        return self._outlook.running(model, since, deadline)

    def _forecasts(self, tenant: str) -> Iterator[tuple[sa.Row[Any], Forecast]]:
        outlook = self._outlook
        for row in (row for row in self._line if row.tenant == tenant):
            rank = (row.rank_time, row.job_id)
            yield row, outlook.waiting(row.model, rank, row.deadline)
        for row in (row for row in self._retrying if row.tenant == tenant):
            rank = (row.rank_time, row.job_id)
            yield row, outlook.retrying(row.model, rank, row.deadline, row.next_attempt_time)
        for row in (row for row in self._running if row.tenant == tenant):
            if row.stage in _UNCLEAR_WORDS:
                yield row, outlook.unclear(row.model)
            else:
                yield row, outlook.running(row.model, row.call_time, row.deadline)

    def _play(self) -> Outlook:
        """Plays the line. A model without runs of its own is taken to be as slow as the others."""
        seen = self._seen
        others = sorted(chain.from_iterable(seen.runs.values()))
        models = list(dict.fromkeys(row.model for row in self._line))
        numbers = {model: number for number, model in enumerate(models)}
        # What the reconciler has holds no slot.
        held = [row for row in self._running if row.mover != "RECONCILER"]
        line = Line(
            slots=0 if seen.shut or not others else seen.slots,
            busy=[Busy(seen.runs.get(row.model) or others, _age(row, seen.now)) for row in held],
            models=[seen.runs.get(model) or others for model in models],
            waiting=[numbers[row.model] for row in self._line[: MOST_PLAYED + seen.slots]],
            pace=seen.pace,
        )
        return Outlook(
            as_of=seen.now,
            runs=seen.runs,
            ranks=[(row.rank_time, row.job_id) for row in self._line],
            places=play(line, Random(SEED)),
            length=len(self._line) - len(seen.waiting) + seen.length,
            last_rank_time=seen.last_rank_time,
            held=last_call(seen.pace, sum(row.call_time is None for row in held)),
        )


def _age(row: sa.Row[Any], now: datetime) -> float | None:
    return None if row.call_time is None else max((now - row.call_time).total_seconds(), 0.0)


def forecast_message(forecast: Forecast) -> job_pb2.Forecast:
    """The public form of *forecast*."""
    return job_pb2.Forecast(
        as_of=timestamp(forecast.as_of),
        jobs_ahead=forecast.jobs_ahead,
        start_time_p50=timestamp(forecast.start.p50),
        start_time_p90=timestamp(forecast.start.p90),
        end_time_p50=timestamp(forecast.end.p50),
        end_time_p90=timestamp(forecast.end.p90),
        runs_counted=forecast.runs_counted,
    )
