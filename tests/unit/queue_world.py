"""A queue that lives by itself: jobs come, wait for a slot, wait for the rate, run, and end.

It shares no code with what forecasts it. Every job's whole life is decided when it comes; what a
forecaster may see of it is what the store would see at one moment.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

Law = Callable[[Random], float]

#: How long a model runs, in seconds: most take about as long, some twice as long, some vary wildly.
LAWS: dict[str, Law] = {
    "steady": lambda r: r.uniform(4.0, 6.0),
    "cold": lambda r: r.gauss(3.0, 0.3) if r.random() < 0.8 else r.gauss(30.0, 4.0),
    "wild": lambda r: r.lognormvariate(2.0, 0.8),
}


@dataclass(slots=True)
class Life:
    """One job: when it came, was taken, made its call, and ended."""

    model: str
    came: float
    taken: float = 0.0
    called: float = 0.0
    ended: float = 0.0


def lives(
    chance: Random, *, slots: int, arrivals_per_second: float, creates_per_minute: float, jobs: int
) -> list[Life]:
    """So many jobs, first in first out."""
    free = [0.0] * slots
    now = next_call = 0.0
    made = []
    for _ in range(jobs):
        now += chance.expovariate(arrivals_per_second)
        model = chance.choice(sorted(LAWS))
        taken = max(now, heapq.heappop(free)) + chance.uniform(0.0, 0.2)
        called = max(taken, next_call)
        if creates_per_minute:
            next_call = called + 60 / creates_per_minute
        ended = called + max(LAWS[model](chance), 0.1)
        heapq.heappush(free, ended)
        made.append(Life(model, now, taken, called, ended))
    return made


def recent(chance: Random, model: str, count: int) -> Sequence[float]:
    """So many runs of *model* that are over, the shortest first."""
    return sorted(max(LAWS[model](chance), 0.1) for _ in range(count))
