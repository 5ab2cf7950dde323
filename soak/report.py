"""How is a soak shown?"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from soak.judging import Row, passed

_EVERY = 10.0
_DETAILS = 10


class Progress:
    """One live line on a terminal; elsewhere a line now and then. Use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._status = Status("starting", console=self._console)
        self._told = 0.0

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, words: str) -> None:
        """What goes on now."""
        if self._console.is_terminal:
            self._status.update(words)
        elif time.monotonic() - self._told >= _EVERY or not words.lstrip()[:1].isdigit():
            self._told = time.monotonic()
            print(words, file=sys.stderr, flush=True)


def show(rows: Sequence[Row], title: str) -> None:
    """The table, and under it what is wrong, if anything."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=96)
    table = Table(title=title, title_justify="left")
    for heading in ("figure", "value", "rule", ""):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for row in rows:
        verdict = "" if not row.rule else "ok" if row.kept else "[bold red]BROKEN"
        table.add_row(row.name, row.value, row.rule, verdict)
    console.print(table)
    for row in rows:
        if row.kept:
            continue
        for line in row.details[:_DETAILS]:
            console.print(f"{row.name}: {line}", style="red", markup=False, soft_wrap=True)
        if len(row.details) > _DETAILS:
            console.print(f"{row.name}: and {len(row.details) - _DETAILS} more")
    console.print("Every rule is kept." if passed(rows) else "[bold red]A rule is broken.")


def document(rows: Sequence[Row], seed: str) -> dict[str, Any]:
    """The same for programs, with every detail."""
    return {
        "seed": seed,
        "passed": passed(rows),
        "rows": [
            {
                "name": row.name.strip(),
                "value": row.value,
                "rule": row.rule,
                "kept": row.kept,
                "details": list(row.details),
            }
            for row in rows
        ],
    }
