"""How the bench's figures are shown, and when an aim is met."""

from __future__ import annotations

import json

from bench.figures import Figure
from bench.report import AIMS, Aim, document, table


def _figures(**changes: float) -> dict[str, Figure]:
    """Every aim just met, but for *changes*, by figure."""
    values = {aim.figure: aim.bound for aim in AIMS} | changes
    return {name: Figure(name, "ms", (value,)) for name, value in values.items()}


def test_an_aim_is_met_at_its_bound() -> None:
    """At least, or at most, is what it says."""
    figures = _figures()
    assert all(aim.met(figures) for aim in AIMS)
    assert not Aim("edge adds to gRPC", 0.6).met(_figures(**{"edge adds to gRPC": 0.61}))
    ratio = "submit over gRPC / slowest raw limit"
    assert not Aim(ratio, 0.3, at_least=True).met(_figures(**{ratio: 0.29}))


def test_what_was_not_measured_is_not_met() -> None:
    """An aim is not met by a bench that broke off."""
    assert not any(aim.met({}) for aim in AIMS)


def test_the_table_shows_every_aim_with_its_verdict() -> None:
    """Met or MISSED, each on a line of its own, whatever else is missing."""
    shown = table(_figures(**{"memory per running job": 250.0}), 32, 500)
    verdicts = [line for line in shown.splitlines() if line.endswith(("  met", "  MISSED"))]
    assert len(verdicts) == len(AIMS)
    (missed,) = (line for line in verdicts if line.endswith("MISSED"))
    assert "memory per running job (500)" in missed
    assert "250" in missed


def test_every_number_of_streams_that_was_measured_has_its_aims() -> None:
    """How many streams there were is the effort's to say."""
    name = "WatchJobs, 5000: p99 / bare"
    verdict = {1.9: "  met", 2.1: "  MISSED"}
    for value, ending in verdict.items():
        shown = table(_figures(**{name: value}), 32, 500)
        (line,) = (line for line in shown.splitlines() if name in line)
        assert line.endswith(ending)


def test_the_document_has_every_round() -> None:
    """So that another program can judge the noise for itself."""
    figures = {"submit over gRPC: rate": Figure("submit over gRPC: rate", "/s", (9.0, 11.0, 10.0))}
    written = json.loads(json.dumps(document(figures)))
    assert written["figures"]["submit over gRPC: rate"] == {
        "unit": "/s",
        "median": 10.0,
        "rounds": [9.0, 11.0, 10.0],
    }
    assert {aim["figure"] for aim in written["aims"]} == {aim.figure for aim in AIMS}
