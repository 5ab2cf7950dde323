"""Which rows does the table of all jobs have? Pure: the time is given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mediagen.v1.job_pb2 import Forecast, Job
from mediagen.watching import is_final
from mediagen.watching_jobs import JobForecasts, JobsEvent, JobsGap, JobSnapshot, JobUpdate

# Seconds for which a job that has ended is still shown, and in full colour before.
SHOWN_AFTER_END = 60.0
BRIGHT_AFTER_END = 8.0
# The oldest of more rows are forgotten: nobody can see so many.
MOST_ROWS = 5000


@dataclass
class Row:
    """One job."""

    job: Job
    forecast: Forecast = field(default_factory=Forecast)
    ended: float | None = None
    """When its end was told."""

    def faded(self, now: float) -> bool:
        """Its end is no news any more."""
        return self.ended is not None and now - self.ended > BRIGHT_AFTER_END


class Board:
    """All jobs that are open, and those that ended a short while ago."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self.heard: float | None = None
        """When the server was last heard of."""
        self.trouble = ""
        """Why the connection is lost; empty while it is not."""
        self.tries = 0

    def take(self, event: JobsEvent, now: float) -> None:
        """Notes what happened."""
        self.connected(now)
        match event:
            case JobSnapshot(job) | JobUpdate(job):
                self._note(job, now)
            case JobForecasts(forecasts):
                for job_id, forecast in forecasts.items():
                    if job_id in self._rows:
                        self._rows[job_id].forecast = forecast
            case JobsGap(_, True):
                self._rows.clear()

    def connected(self, now: float) -> None:
        """The server was heard of."""
        self.heard, self.trouble, self.tries = now, "", 0

    def lost(self, why: str) -> None:
        """The connection broke, and is tried again."""
        self.trouble = why
        self.tries += 1

    def rows(self, now: float, most: int) -> list[Row]:
        """The newest on top, at most so many: what is open before what has ended."""
        self._forget(now)
        chosen = sorted(self._rows.values(), key=lambda row: (row.ended is not None, _age(row)))
        return sorted(chosen[: max(0, most)], key=_age)

    def counts(self) -> Counter[int]:
        """How many jobs there are in each state."""
        return Counter(row.job.state for row in self._rows.values())

    def _note(self, job: Job, now: float) -> None:
        row = self._rows.setdefault(job.job_id, Row(job))
        row.job = job
        if job.HasField("forecast"):
            row.forecast = job.forecast
        row.ended = (row.ended or now) if is_final(job) else None
        if len(self._rows) > MOST_ROWS:
            del self._rows[max(self._rows, key=lambda each: _age(self._rows[each]))]

    def _forget(self, now: float) -> None:
        gone = [
            job_id
            for job_id, row in self._rows.items()
            if row.ended is not None and now - row.ended > SHOWN_AFTER_END
        ]
        for job_id in gone:
            del self._rows[job_id]


def _age(row: Row) -> tuple[int, str]:
    return -row.job.create_time.ToNanoseconds(), row.job.job_id
