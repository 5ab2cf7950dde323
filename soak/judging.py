"""What are the figures of a soak, and which rule does each have to keep? Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LEAST_COMPLETED = 0.97
MOST_PARKED = 0.01


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found out about one soak. Lists have a line for each thing that is wrong.

    ordered: jobs asked for; known: jobs that the API knows of them, by state; failures: FAILED
    jobs by reason; parked: jobs with a call that ended UNRESOLVED; calls: predictions made at the
    provider for them; gaps: those that watchers were told of.
    """

    ordered: int
    unacknowledged: int
    states: Mapping[str, int]
    failures: Mapping[str, int]
    lost: Sequence[str] = ()
    doubled: Sequence[str] = ()
    paid_twice: Sequence[str] = ()
    stuck: Sequence[str] = ()
    missed: Sequence[str] = ()
    repeated: Sequence[str] = ()
    broken_artifacts: Sequence[str] = ()
    broken_invariants: Sequence[str] = ()
    wrong_charges: Sequence[str] = ()
    odd_answers: Sequence[str] = ()
    watched: int = 0
    gaps: int = 0
    streams: int = 0
    calls: int = 0
    artifacts: int = 0
    parked: int = 0
    dead_letters: int = 0
    repeats: int = 0
    seconds: float = 0.0
    kills: Mapping[str, int] = field(default_factory=Counter)
    restarts: Mapping[str, int] = field(default_factory=Counter)
    put_off: int = 0

    @property
    def submitted(self) -> int:
        """What was never acknowledged and is not there was not submitted."""
        return sum(self.states.values()) + len(self.lost)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. rule: in words, empty if it has none; details: what is wrong, line by line."""

    name: str
    value: str
    rule: str = ""
    kept: bool = True
    details: tuple[str, ...] = ()


def judge(evidence: Evidence) -> list[Row]:
    """The table, row by row."""
    submitted = evidence.submitted
    completed = evidence.states.get("COMPLETED", 0)
    rows = [
        Row("submitted", f"{submitted}"),
        _none("never acknowledged", evidence.unacknowledged, ()),
        Row("COMPLETED", _share(completed, submitted), f"≥ {LEAST_COMPLETED:.0%}",
            submitted > 0 and completed >= LEAST_COMPLETED * submitted),
        *(Row(f"  FAILED {reason}", f"{count}") for reason, count in
          sorted(evidence.failures.items())),
        *(Row(f"  {state}", f"{count}") for state, count in sorted(evidence.states.items())
          if state not in ("COMPLETED", "FAILED")),
        _wrong("lost", evidence.lost),
        _wrong("two jobs for one request", evidence.doubled),
        _wrong("paid twice", evidence.paid_twice),
        _wrong("stuck", evidence.stuck),
        _wrong("missed watch revisions", evidence.missed),
        _wrong("repeated watch revisions", evidence.repeated),
        Row("parked (UNRESOLVED)", _share(evidence.parked, submitted), f"≤ {MOST_PARKED:.0%}",
            evidence.parked <= MOST_PARKED * submitted),
        _wrong("artifacts missing or changed", evidence.broken_artifacts),
        _wrong("charge NO, though billed", evidence.wrong_charges),
        _wrong("invariants broken", evidence.broken_invariants),
        _wrong("answers that are no reason to try again", evidence.odd_answers),
    ]  # fmt: skip
    return rows + _told(evidence)


def passed(rows: Sequence[Row]) -> bool:
    """Whether every rule is kept."""
    return all(row.kept for row in rows)


def _told(evidence: Evidence) -> list[Row]:
    """Figures without a rule."""
    again = Counter({_kind(name): 0 for name in evidence.restarts})
    for name, times in evidence.restarts.items():
        again[_kind(name)] += times
    killed: Counter[str] = Counter()
    for name, times in evidence.kills.items():
        killed[_kind(name)] += times
    parts = [kind for kind in again if again[kind] or killed[kind]]
    return [
        Row("dead letters", f"{evidence.dead_letters}"),
        Row("paid calls made", f"{evidence.calls}"),
        Row("submits repeated", f"{evidence.repeats}"),
        Row("jobs watched", f"{evidence.watched}, over {evidence.streams} streams"),
        Row("gaps told to watchers", f"{evidence.gaps}"),
        Row("artifacts fetched", f"{evidence.artifacts}"),
        Row("killed", f"{sum(killed.values())}"),
        *(Row(f"  {kind}", f"{killed[kind]}, started again {again[kind]}") for kind in parts),
        Row("kills put off", f"{evidence.put_off}"),
        Row("seconds", f"{evidence.seconds:.0f}"),
    ]


def _kind(part: str) -> str:
    name, _, number = part.rpartition("-")
    return name if number.isdigit() else part


def _wrong(name: str, lines: Sequence[str]) -> Row:
    return _none(name, len(lines), lines)


def _none(name: str, count: int, lines: Sequence[str]) -> Row:
    return Row(name, f"{count}", "0", count == 0, tuple(lines))


def _share(count: int, of: int) -> str:
    return f"{count} ({count / of:.1%})" if of else f"{count}"
