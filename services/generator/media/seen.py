"""What is told of a file, and how does it come out of the process that has looked?

One line of JSON, and after it as many bytes as it says the picture has. What comes out of that
process is believed no more than the file itself: it is bounded here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

LARGEST_PREVIEW: Final = 1024 * 1024
_LONGEST_SIDE = 1_000_000
_LONGEST = 7 * 24 * 3600 * 1000  # ms


@dataclass(frozen=True, slots=True)
class Seen:
    """0 and None are what could not be found out. *preview* is WebP. *problem* is for the log."""

    width: int = 0
    height: int = 0
    duration_ms: int | None = None
    preview: bytes = b""
    preview_width: int = 0
    preview_height: int = 0
    problem: str = ""

    def head(self, *, retire: bool = False) -> bytes:
        """The line before the bytes. *retire*: the process should not be asked again."""
        told = {
            "width": self.width,
            "height": self.height,
            "duration_ms": self.duration_ms,
            "preview_bytes": len(self.preview),
            "preview_width": self.preview_width,
            "preview_height": self.preview_height,
            "problem": self.problem,
            "retire": retire,
        }
        return json.dumps(told).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Head:
    """A line read: what it tells, how many bytes follow, and whether the process has had it."""

    seen: Seen
    preview_bytes: int
    retire: bool

    @classmethod
    def read(cls, line: bytes) -> Head:
        """Raises ValueError for what no child of ours says."""
        try:
            told = json.loads(line)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(told, dict):
            raise ValueError("not an answer")
        duration = told["duration_ms"]
        seen = Seen(
            width=_number(told["width"], _LONGEST_SIDE),
            height=_number(told["height"], _LONGEST_SIDE),
            duration_ms=None if duration is None else _number(duration, _LONGEST),
            preview_width=_number(told["preview_width"], _LONGEST_SIDE),
            preview_height=_number(told["preview_height"], _LONGEST_SIDE),
            problem=str(told["problem"])[:200],
        )
        size = _number(told["preview_bytes"], LARGEST_PREVIEW)
        return cls(seen, size, bool(told["retire"]))


def _number(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not a number that can be")
    return value
