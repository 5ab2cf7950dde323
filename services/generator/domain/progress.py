"""What does a model's log say to those who wait? How far it is, and what it printed last.

Both are read from the log's end alone: a webhook brings no more of it, and it may be megabytes.
"""

from __future__ import annotations

import re

LONGEST_TAIL = 1024
_BAR = re.compile(r"^[ \t]*(\d{1,3})%[ \t]*\|.*?\|[ \t]*\d+/\d+", re.MULTILINE)
_READ = 4096
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


def percent(log: str | None) -> int | None:
    """0 to 100 from the last progress bar (tqdm's) of the log; None where there is none."""
    if not log:
        return None
    found = _BAR.findall(_lines(log[-_READ:]))
    return min(int(found[-1]), 100) if found else None


def tail(log: str) -> str:
    """The last whole lines, at most 1,024 characters; of a longer line its end. The same for a
    whole log and for its last 1,024 characters."""
    end = _lines(log[-LONGEST_TAIL:])
    if len(log) >= LONGEST_TAIL:
        # What came before is not seen: its first line may be a piece of one.
        whole = end.partition("\n")[2]
        end = whole if whole.strip() else end
    return _CONTROLS.sub("", _COLOURS.sub("", end)).strip("\n")


def _lines(text: str) -> str:
    """A terminal's progress bar overwrites itself by a carriage return: here it is a line's end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
