"""When may a job be taken and done? From the line as it was at one moment, and recent runs.

waiting:  taken when line.py says that its place in the line is reached; done a run later
retrying: as one at its place in the line, but not before its time
running:  done when those of the model's recent runs would be that are longer than it has run yet
An estimate from what was: p50 and p90 of the model's recent runs, at least five of them. The end is
spread as the wait and the run are, which are taken to have nothing to do with each other:
p90 = p50 + √(wait's² + run's²), each as far as its own p90 is from its p50.
A job ends at its deadline at the latest, and is not taken after it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from store.domain.line import Place, Runs, Spread, spread

LEAST_RUNS = 5  #: what fewer runs say is not told
HANDOVER = 0.1  #: seconds from a free slot to the job in it: admission and the broker

Rank = tuple[datetime, UUID]  #: the order of the line: its rank_time, then its id


@dataclass(frozen=True, slots=True)
class Window:
    """Not later than this in half of the cases, and in nine of ten; None: not told."""

    p50: datetime | None = None
    p90: datetime | None = None


UNTOLD = Window()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When one job may be taken and done."""

    as_of: datetime
    jobs_ahead: int | None = None
    start: Window = UNTOLD
    end: Window = UNTOLD
    runs_counted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The line at one moment, and how long each model's recent jobs ran (sorted, in seconds).

    `ranks` are those of the first in the line. Behind them, where it goes on to `length` jobs and
    `last_rank_time`, a place is interpolated.
    """

    as_of: datetime
    runs: Mapping[str, Runs] = field(default_factory=dict)
    ranks: Sequence[Rank] = ()
    places: Sequence[Place] = ()  #: one more than ranks; none if nothing can be said
    length: int = 0
    last_rank_time: datetime | None = None
    held: float = 0.0  #: seconds until all that hold a slot without a call may have made it

    def waiting(self, model: str, rank: Rank, deadline: datetime) -> Forecast:
        """Of a job in the line, or one that came into it since."""
        ahead = bisect_left(self.ranks, rank)
        if ahead == len(self.ranks):
            ahead = max(ahead, self._behind(rank[0]))
        return self._taken_from(self.as_of, self._place(ahead), model, deadline, ahead)

    def retrying(self, model: str, rank: Rank, deadline: datetime, due: datetime) -> Forecast:
        """Of a job that is tried again when it is *due*; until then it has no place in the line."""
        place = self._place(bisect_left(self.ranks, rank))
        return self._taken_from(due, place, model, deadline, None)

    def running(self, model: str, since: datetime | None, deadline: datetime) -> Forecast:
        """Of a job that a worker has, whose call was made at *since*; None: not made yet."""
        runs = self.runs.get(model, ())
        end = UNTOLD
        if len(runs) >= LEAST_RUNS:
            if since is None:
                wait = Spread(self.held / 2, self.held)
                end = self._until(_after(self.as_of, _both(wait, spread(runs))), deadline)
            else:
                age = (self.as_of - since).total_seconds()
                if longer := runs[bisect_right(runs, age) :]:
                    end = self._until(_after(since, spread(longer)), deadline)
                    # Of few, the longest is exceeded more often than in one of ten cases.
                    end = end if len(longer) >= LEAST_RUNS else Window(end.p50)
        return Forecast(as_of=self.as_of, end=end, runs_counted=len(runs))

    def unclear(self, model: str) -> Forecast:
        """Of a job whose end hangs on what the provider says: canceling, or a call in doubt."""
        return Forecast(as_of=self.as_of, runs_counted=len(self.runs.get(model, ())))

    def _taken_from(
        self, earliest: datetime, place: Place | None, model: str, deadline: datetime,
        ahead: int | None,
    ) -> Forecast:  # fmt: skip
        runs = self.runs.get(model, ())
        counted = len(runs)
        if place is None or counted < LEAST_RUNS:
            return Forecast(as_of=self.as_of, jobs_ahead=ahead, runs_counted=counted)
        least = (earliest - self.as_of).total_seconds()
        taken, called = _handed_over(place.taken, least), _handed_over(place.called, least)
        return Forecast(
            as_of=self.as_of,
            jobs_ahead=ahead,
            start=_unless_over(_after(self.as_of, taken), deadline),
            end=self._until(_after(self.as_of, _both(called, spread(runs))), deadline),
            runs_counted=counted,
        )

    def _place(self, ahead: int) -> Place | None:
        """The place behind so many jobs; behind those known, the line goes on at the same pace."""
        if not self.places:
            return None
        last = len(self.places) - 1
        if ahead <= last or not last:
            return self.places[min(ahead, last)]
        known, times = self.places[last], ahead / last
        return Place(_stretched(known.taken, times), _stretched(known.called, times))

    def _behind(self, rank_time: datetime) -> int:
        """About how many of the whole line are before *rank_time*, which is behind those known."""
        known, last = len(self.ranks), self.last_rank_time
        if last is None or self.length <= known or not self.ranks:
            return known
        first = self.ranks[-1][0]
        share = (rank_time - first) / (last - first) if last > first else 1.0
        return known + int((self.length - known) * min(max(share, 0.0), 1.0))

    def _until(self, window: Window, deadline: datetime) -> Window:
        latest = max(deadline, self.as_of)
        assert window.p50 is not None
        assert window.p90 is not None
        return Window(min(window.p50, latest), min(window.p90, latest))


def _both(wait: Spread, run: Spread) -> Spread:
    """One after the other."""
    p50 = wait.p50 + run.p50
    return Spread(p50, p50 + math.hypot(wait.p90 - wait.p50, run.p90 - run.p50))


def _stretched(known: Spread, times: float) -> Spread:
    return Spread(known.p50 * times, known.p90 * times)


def _handed_over(place: Spread, least: float) -> Spread:
    return Spread(max(place.p50, least) + HANDOVER, max(place.p90, least) + HANDOVER)


def _after(moment: datetime, seconds: Spread) -> Window:
    return Window(
        moment + timedelta(seconds=seconds.p50),
        moment + timedelta(seconds=seconds.p90),
    )


def _unless_over(window: Window, deadline: datetime) -> Window:
    """A time that is behind the *deadline* is not told: by then the job has ended."""
    return Window(*(t if t and t <= deadline else None for t in (window.p50, window.p90)))
