"""When are the jobs in the line taken? The line is played through, again and again, with chance.

In each round every job that runs or waits gets a run as long as one of its model's recent ones,
drawn at random; one that runs already, one of those that are longer than it has run so far. The
next job in the line takes the slot that is free first, waits there for the account's rate, and
runs. By when a job is taken in nine of ten rounds is its p90.

The recent runs are only some of those that there might have been, which is played too: each round
draws anew which of them it goes by, and now and then one that is longer than all of them.

It is an estimate: jobs that come later with a better place, retries, and workers that come or go
are not foreseen.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from store.domain.rate import Pace

MOST_ROUNDS = 200
LEAST_ROUNDS = 25  #: a long line is played less often: what is random about it evens out
UNSEEN = 1.5  #: times as long as the longest run seen: of n + 1 runs, one is longer than n
RUNS_DRAWN = 60_000  #: in all rounds; what one forecast may cost

Runs = Sequence[float]  #: the lengths of a model's recent runs in seconds, the shortest first


@dataclass(frozen=True, slots=True)
class Busy:
    """A job that holds a slot, and for how long its call has run; None: it is not made yet."""

    runs: Runs
    age: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Who is there: slots of live workers, jobs that hold one, jobs that wait, in their order."""

    slots: int
    busy: Sequence[Busy] = ()
    models: Sequence[Runs] = ()  #: of those that wait
    waiting: Sequence[int] = ()  #: each by its model's place in `models`
    pace: Pace | None = None  #: how fast calls may be made; None: as fast as one likes


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds from now: not later than this in half of the cases, and in nine of ten."""

    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Place:
    """When the job at a place of the line is taken, and when its call is made."""

    taken: Spread
    called: Spread


def quantile(values: Sequence[float], share: float) -> float:
    """What *share* of further values will not exceed; *values* are sorted, and not none.

    The k-th of n values is not exceeded by the next one in k of n + 1 cases.
    """
    at = min(max((len(values) + 1) * share - 1, 0.0), len(values) - 1.0)
    low = int(at)
    if low == at:
        return values[low]
    return values[low] + (values[low + 1] - values[low]) * (at - low)


def spread(values: Sequence[float]) -> Spread:
    """The two quantiles of sorted *values*."""
    return Spread(quantile(values, 0.5), quantile(values, 0.9))


def play(line: Line, chance: Random) -> list[Place]:
    """A place for each waiting job, and one more for whoever comes next; no slots: none."""
    if line.slots < 1:
        return []
    size = len(line.waiting) + len(line.busy) + sum(map(len, line.models)) + 1
    rounds = min(max(RUNS_DRAWN // size, LEAST_ROUNDS), MOST_ROUNDS)
    played = [_round(line, chance) for _ in range(rounds)]
    taken = [spread(sorted(each)) for each in zip(*(one.taken for one in played), strict=True)]
    if line.pace is None:
        return [Place(each, each) for each in taken]
    called = [spread(sorted(each)) for each in zip(*(one.called for one in played), strict=True)]
    return [Place(*both) for both in zip(taken, called, strict=True)]


def last_call(pace: Pace | None, callers: int) -> float:
    """Seconds until the last of so many *callers* may make its call."""
    gap, ahead, next_call = _gate(pace)
    return max(next_call, ahead) + (callers - 1) * gap - ahead if callers else 0.0


@dataclass(slots=True)
class _Round:
    taken: list[float] = field(default_factory=list)
    called: list[float] = field(default_factory=list)


def _round(line: Line, chance: Random) -> _Round:
    """One way in which it may go."""
    draw = chance.random
    models = [chance.choices((*runs, UNSEEN * runs[-1]), k=len(runs)) for runs in line.models]
    gap, ahead, next_call = _gate(line.pace)
    free = []  # when each slot is free, as a heap
    for busy in line.busy:
        if busy.age is None:
            next_call = max(next_call, ahead) + gap
            free.append(next_call - gap - ahead + _drawn(busy.runs, draw))
        else:
            free.append(_left(busy.runs, busy.age, draw))
    heapq.heapify(free)
    for _ in range(len(free) - line.slots):  # workers are gone whose jobs have yet to be taken over
        heapq.heappop(free)
    idle = min(line.slots - len(free), len(line.waiting) + 1)
    free = [0.0] * idle + free  # still a heap: nothing is free before now
    one = _Round()
    for model in line.waiting:
        runs = models[model]
        start = call = free[0]
        if gap:
            call = max(start, next_call - ahead)
            next_call = max(next_call, call) + gap
            one.called.append(call)
        one.taken.append(start)
        heapq.heapreplace(free, call + runs[int(draw() * len(runs))])
    one.taken.append(free[0])
    one.called.append(max(free[0], next_call - ahead))
    return one


def _gate(pace: Pace | None) -> tuple[float, float, float]:
    """Seconds between calls, how many of them may be made ahead, and when the next would be due."""
    if pace is None:
        return 0.0, 0.0, 0.0
    gap = 1 / pace.flow
    ahead = (pace.burst - 1) * gap
    return gap, ahead, max((pace.burst - pace.tokens) * gap, pace.held + ahead if pace.held else 0)


def _drawn(runs: Runs, draw: Callable[[], float]) -> float:
    return runs[int(draw() * len(runs))]


def _left(runs: Runs, age: float, draw: Callable[[], float]) -> float:
    """How much longer a run of *age* takes; one that is older than all as long as a new one."""
    longer = bisect_right(runs, age)
    if longer == len(runs):
        return _drawn(runs, draw)
    return runs[longer + int(draw() * (len(runs) - longer))] - age
