"""Does the page of guarantees name only tests that there are, for every promise?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "guarantees.md", ROOT / "docs" / "failures.md"]
NAMED = re.compile(r"`(test_\w+\.py)(?:::(test_\w+))?`")
FILES = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@each_page
def test_every_test_named_as_a_proof_exists(page: Path) -> None:
    """A proof that was renamed or deleted is no proof."""
    named = NAMED.findall(page.read_text())
    assert named
    missing = [
        f"{name}::{test}" if test else name
        for name, test in named
        if name not in FILES or (test and test not in _tests_in(FILES[name]))
    ]
    assert not missing


def test_every_promise_has_a_proof_in_each_of_its_rows() -> None:
    """Each row of the numbered sections names a test, the query, or the page that does."""
    text = PAGES[0].read_text()
    sections = re.split(r"^## (?=\d)", text, flags=re.MULTILINE)[1:]
    assert len(sections) >= 6
    for section in sections:
        body = section.partition("\n## ")[0]
        rows = [line for line in body.splitlines() if line.startswith("| ")][1:]
        rows = [row for row in rows if not row.startswith("| ---")]
        assert rows, section
        for row in rows:
            proof = row.rstrip("| ").rpartition("|")[2]
            assert NAMED.search(proof) or "invariants" in proof or "](failures.md)" in proof, row
