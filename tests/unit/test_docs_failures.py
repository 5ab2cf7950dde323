"""Does docs/failures.md name a test for each of its rows, and are those tests there?"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text()
TESTS = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def _tests(pattern: str) -> set[str]:
    return {
        name for path in (ROOT / "tests").glob(pattern) for name in TESTS.findall(path.read_text())
    }


def test_every_row_names_a_test_that_is_there() -> None:
    """A row without one is a promise that nobody looks after."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith(("| what dies", "| ---"))]
    there = _tests("**/test_*.py")
    assert len(rows) > 20
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row.split("|")[-2]))
        assert named, row
        assert named <= there, named - there


def test_every_outage_that_is_tested_is_in_the_page() -> None:
    """What the tests know, a reader should."""
    tested = _tests("e2e/test_infrastructure_*.py") - {"test_nothing_was_left_to_the_dead_letters"}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert tested
    assert tested <= named, tested - named
