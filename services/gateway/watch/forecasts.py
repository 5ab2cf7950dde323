"""Whose forecast has moved enough to be told? Pure: the hub reads, this compares."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.watch.filters import FINAL, JobFilter, Kind
from mediagen.store.v1.feed_pb2 import FeedEvent
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import JobForecast

# A time has moved when it is off by more than this part of how far away it is.
MOVED_BY = 0.1
# What is not final and was told of; more of a tenant's are not told forecasts by filters.
MOST_KINDS = 10_000
MOST_TOLD = 500
MOST_ENDED = 2000
EVERY_JOB = JobFilter()
_TIMES: tuple[Literal["start_time_p50", "start_time_p90", "end_time_p50", "end_time_p90"], ...] = (
    "start_time_p50", "start_time_p90", "end_time_p50", "end_time_p90",
)  # fmt: skip


class Board:
    """The forecasts of a tenant's jobs as they were last told, and in which round each moved."""

    __slots__ = ("_ended", "_kinds", "_shown", "round")

    def __init__(self) -> None:
        self.round = 0
        self._shown: dict[str, tuple[job_pb2.Forecast, int]] = {}
        self._kinds: dict[str, Kind] = {}
        # An answer of the store may be two seconds old, and tell of what has ended since.
        self._ended: deque[str] = deque(maxlen=MOST_ENDED)

    @property
    def empty(self) -> bool:
        return not self._shown

    def put(self, forecasts: Iterable[JobForecast]) -> list[str]:
        """Takes what was read, in its order; the jobs whose forecasts have moved."""
        shown: dict[str, tuple[job_pb2.Forecast, int]] = {}
        moved_ones = []
        ended = set(self._ended)
        for each in forecasts:
            if each.job_id in ended:
                continue
            told = self._shown.get(each.job_id)
            if told is None or moved(told[0], each.forecast):
                told = (each.forecast, self.round + 1)
                moved_ones.append(each.job_id)
            shown[each.job_id] = told
        self._shown = shown
        if moved_ones:
            self.round += 1
        return moved_ones

    def of_job(self, job_id: str, seen: int) -> job_pb2.Forecast | None:
        """The forecast of a job, if it has moved since round *seen*."""
        told = self._shown.get(job_id)
        return told[0] if told is not None and told[1] > seen else None

    def of_filter(self, wanted: JobFilter, seen: int) -> Iterator[JobForecast]:
        """The forecasts of the filter's jobs that have moved since round *seen*."""
        count = 0
        for job_id, (forecast, number) in self._shown.items():
            if number <= seen:
                continue
            kind = self._kinds.get(job_id)
            if wanted == EVERY_JOB or (kind is not None and wanted.holds(kind)):
                yield JobForecast(job_id=job_id, forecast=forecast)
                count += 1
                if count == MOST_TOLD:
                    return

    def note(self, event: FeedEvent) -> None:
        """A job has changed; what is final has no forecast."""
        job = event.job
        if job.state in FINAL:
            self._kinds.pop(job.job_id, None)
            self._shown.pop(job.job_id, None)
            self._ended.append(job.job_id)
        else:
            self._learn(job.job_id, Kind(event.model, dict(event.labels), job.state))

    def note_whole(self, job: job_pb2.Job) -> None:
        """A job was read, with its request. An event that came before knows its state better."""
        if job.state not in FINAL and job.job_id not in self._kinds:
            labels = dict(job.request.labels)
            self._learn(job.job_id, Kind(job.request.model, labels, job.state))

    def _learn(self, job_id: str, kind: Kind) -> None:
        if job_id not in self._kinds and len(self._kinds) >= MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[job_id] = kind


def moved(told: job_pb2.Forecast, now: job_pb2.Forecast) -> bool:
    """Whether a caller should hear of *now*, having been told *told*."""
    if told.HasField("jobs_ahead") != now.HasField("jobs_ahead"):
        return True
    if told.jobs_ahead != now.jobs_ahead:
        return True
    as_of = _seconds(now.as_of)
    for name in _TIMES:
        if told.HasField(name) != now.HasField(name):
            return True
        if now.HasField(name):
            time = _seconds(getattr(now, name))
            if abs(time - _seconds(getattr(told, name))) > MOVED_BY * abs(time - as_of):
                return True
    return False


def _seconds(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9
