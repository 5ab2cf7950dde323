"""How far is a model? Read from the progress bars (tqdm) that models print into their log."""

from __future__ import annotations

import re

_BAR = re.compile(r"^[ \t]*(\d{1,3})%[ \t]*\|.*?\|[ \t]*\d+/\d+", re.MULTILINE)
# A log may be megabytes long; only its last lines tell the present.
_TAIL = 4096


def percent(log: str | None) -> int | None:
    """0 to 100 from the last bar of the log; None where there is none."""
    if not log:
        return None
    # A terminal's bar overwrites itself by a carriage return.
    found = _BAR.findall(log[-_TAIL:].replace("\r", "\n"))
    return min(int(found[-1]), 100) if found else None
