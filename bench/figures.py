"""What is measured in one round, and what is said about several?"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Samples:
    """One round of one load: how long each call took, in seconds.

    client_cpu: the share of one core that the process of the load used. Near 1.0 it is the load
    that was measured, and not what it calls.
    """

    seconds: float
    latencies: Sequence[float]
    client_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float:
        """The latency, in seconds, that *percent* of the calls did not exceed."""
        return percentile(self.latencies, percent)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of *values* that at least *percent* of them do not exceed; NaN for none."""
    if not values:
        return math.nan
    ranked = sorted(values)
    rank = math.ceil(percent / 100 * len(ranked))
    return ranked[max(rank, 1) - 1]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value in every round, and the median, which is what is quoted."""

    name: str
    unit: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """NaN where nothing was measured."""
        return statistics.median(self.rounds) if self.rounds else math.nan


def ratios(of: Sequence[float], to: Sequence[float]) -> tuple[float, ...]:
    """Round by round, so that what slowed a whole round down does not count."""
    return tuple(each / limit if limit else math.nan for each, limit in zip(of, to, strict=True))


def slowest(*limits: Sequence[float]) -> tuple[float, ...]:
    """The smallest of the limits in each round."""
    return tuple(min(each) for each in zip(*limits, strict=True))


class Record:
    """What was measured so far, by name, in rounds."""

    def __init__(self) -> None:
        self._rounds: dict[str, list[float]] = defaultdict(list)
        self._units: dict[str, str] = {}

    def note(self, name: str, unit: str, value: float) -> None:
        """One more round of *name*."""
        self._units[name] = unit
        self._rounds[name].append(value)

    def note_samples(self, name: str, samples: Samples) -> None:
        """A round of a load: its rate, latencies and client."""
        self.note(f"{name}: rate", "/s", samples.rate)
        self.note(f"{name}: p50", "ms", samples.percentile(50) * 1000)
        self.note(f"{name}: p99", "ms", samples.percentile(99) * 1000)
        self.note(f"{name}: client CPU", "of a core", samples.client_cpu)

    def rounds(self, name: str) -> tuple[float, ...]:
        return tuple(self._rounds[name])

    def figures(self) -> Mapping[str, Figure]:
        """Everything, by name."""
        return {
            name: Figure(name, self._units[name], tuple(rounds))
            for name, rounds in self._rounds.items()
        }
