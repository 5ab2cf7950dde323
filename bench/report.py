"""How are the figures shown, and which aims are met?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench import edge_cost
from bench.figures import Figure
from bench.streaming import BARE, KINDS, RESTART_FIGURES, RESTARTS

_SUBMITS = ("submit over gRPC", "submit over REST")
_NAME = 34


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure's median, and what it should be: at least, or at most."""

    figure: str
    bound: float
    at_least: bool = False

    def met(self, figures: Mapping[str, Figure]) -> bool:
        """What was not measured is not met."""
        value = figures[self.figure].median if self.figure in figures else math.nan
        return value >= self.bound if self.at_least else value <= self.bound


AIMS = (
    *(Aim(f"{way} / slowest raw limit", 0.3, at_least=True) for way in _SUBMITS),
    *(Aim(f"{way}: p99", 100.0) for way in _SUBMITS),
    Aim("edge adds to gRPC", 0.6),
    Aim("edge adds to REST", 0.6),
    Aim("memory per running job", 100.0),
    Aim("creates per minute / limit", 0.95, at_least=True),
    Aim("permits asked for / create", 3.0),
    Aim("commit to watcher: p99", 50.0),
)
#: By how the figures' names end: one for each number of streams that was measured.
STREAM_AIMS = {
    ": p99 / bare": 2.0,
    ": memory a stream / bare": 1.5,
    ": store calls, most streams / fewest": 1.5,
    ": errors but UNAVAILABLE": 0.0,
}


def aims(figures: Mapping[str, Figure]) -> list[Aim]:
    """Every aim, those of streams as far as they were measured."""
    return [
        *AIMS,
        *(
            Aim(name, bound)
            for ending, bound in STREAM_AIMS.items()
            for name in figures
            if name.endswith(ending)
        ),
    ]


def table(figures: Mapping[str, Figure], clients: int, running_jobs: int) -> str:
    """Everything, for people. Each figure is the median of its rounds."""
    shown = _Shown(figures)
    lines: list[str] = []
    lines += ["", _row(f"{clients} clients", "per second", "p50 ms", "p99 ms", "client CPU")]
    lines += shown.load("raw echo", "raw: grpc.aio echo")
    lines += shown.load("raw insert", "raw: INSERT … COMMIT")
    lines += shown.load("raw insert, 1 client", "raw: the same, 1 client")
    lines += shown.load("raw broker", "raw: publish, confirm, consume, ack")
    for way in _SUBMITS:
        lines += shown.load(way, way)
    lines += shown.one("jobs end to end", "jobs end to end, instant provider")
    lines += ["", _row("ratios", "raw echo", "raw insert", "slowest")]
    for way in _SUBMITS:
        lines += shown.many(way, [f"{way} / {to}" for to in _AGAINST])
    lines += ["", _row("jobs end to end / raw broker", shown.text("jobs end to end / raw broker"))]
    lines += ["", _row("latency, ms", "p50", "p99")]
    for name in ("watch, 1 job", "watch, 16 jobs"):
        words = f"commit to watcher, {name.removeprefix('watch, ')}"
        lines += shown.many(words, [f"{name}: p50", f"{name}: p99"])
    for way in _WAYS:
        lines += shown.many(f"GetJob, {way}", [f"GetJob, {way}: p50", f"GetJob, {way}: p99"])
    lines += ["", *shown.streams(), "", *shown.restarts(), "", *shown.aims(running_jobs)]
    return "\n".join(lines)


_AGAINST = ("raw echo", "raw insert", "slowest raw limit")
_WAYS = (
    edge_cost.DIRECT_GRPC, edge_cost.EDGE_GRPC, edge_cost.DIRECT_REST, edge_cost.EDGE_REST,
)  # fmt: skip


class _Shown:
    """The figures as text."""

    def __init__(self, figures: Mapping[str, Figure]) -> None:
        self._figures = figures

    def text(self, name: str) -> str:
        """The median with three digits, or a dash."""
        value = self._figures[name].median if name in self._figures else math.nan
        if math.isnan(value):
            return "-"
        if abs(value) >= 100:
            return f"{value:,.0f}"
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

    def load(self, name: str, words: str) -> Iterator[str]:
        parts = ("rate", "p50", "p99", "client CPU")
        return self.many(words, [f"{name}: {part}" for part in parts])

    def one(self, name: str, words: str) -> Iterator[str]:
        return self.many(words, [name])

    def many(self, words: str, names: list[str]) -> Iterator[str]:
        yield _row(f"  {words}", *map(self.text, names))

    def streams(self) -> Iterator[str]:
        yield _row("one event to many streams", "p50 ms", "p99 ms", "CPU us", "KiB each")
        parts = ("p50", "p99", "CPU a message", "memory a stream")
        many = sorted(
            int(name.removeprefix(f"{BARE}, ").removesuffix(": p50"))
            for name in self._figures
            if name.startswith(f"{BARE}, ") and name.endswith(": p50")
        )
        for streams in many:
            for kind in (BARE, *KINDS):
                words = f"{streams:,} of {kind}"
                yield from self.many(words, [f"{kind}, {streams}: {part}" for part in parts])
        yield from ("", _row("one watcher for each of many jobs, ms", "p50", "p99"))
        for words in ("commit to hint", "commit to watcher"):
            yield from self.many(words, [f"{words}: p50", f"{words}: p99"])
        yield from self.one("a watcher each: events", "events a second")

    def restarts(self) -> Iterator[str]:
        yield _row("a gateway is started anew by", *(each.name for each in RESTARTS))
        for words in RESTART_FIGURES:
            yield from self.many(words, [f"{each.name}: {words}" for each in RESTARTS])

    def aims(self, running_jobs: int) -> Iterator[str]:
        yield _row("aims", "aim", "measured")
        for aim in aims(self._figures):
            unit = self._figures[aim.figure].unit if aim.figure in self._figures else ""
            name = aim.figure
            if name.startswith("memory"):
                name += f" ({running_jobs})"
            bound = f"{'≥' if aim.at_least else '≤'} {aim.bound:g} {unit}".strip()
            verdict = "met" if aim.met(self._figures) else "MISSED"
            yield f"{_row(f'  {name}', bound, self.text(aim.figure))}  {verdict}"


def _row(name: str, *cells: str) -> str:
    return f"{name:<{_NAME + 6}}" + "".join(f"{cell:>12}" for cell in cells)


def document(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Everything, for programs: every round, and whether each aim is met."""
    return {
        "figures": {
            name: {"unit": each.unit, "median": each.median, "rounds": list(each.rounds)}
            for name, each in figures.items()
        },
        "aims": [
            {
                "figure": aim.figure,
                "at_least" if aim.at_least else "at_most": aim.bound,
                "met": aim.met(figures),
            }
            for aim in aims(figures)
        ],
    }
