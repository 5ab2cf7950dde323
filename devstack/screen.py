"""What does the person at the terminal see of many parts at once?"""

import os
import sys
from contextlib import suppress
from typing import TextIO

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_OURS = "devstack"


class Screen:
    """Lines with the part's name before them; coloured on a terminal unless NO_COLOR is set."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._colour = self._out.isatty() and not os.environ.get("NO_COLOR")
        self._width = len(_OURS)
        self._codes: dict[str, int] = {_OURS: 1}

    def introduce(self, names: list[str]) -> None:
        """All names that will come, so that the columns line up and each has its colour."""
        self._width = max(self._width, *map(len, names))
        for index, name in enumerate(names):
            self._codes.setdefault(name, _COLOURS[index % len(_COLOURS)])

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} |"
        if self._colour:
            prefix = f"\x1b[{self._codes.get(name, 0)}m{prefix}\x1b[0m"
        self.plain(f"{prefix} {text}")

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self.line(_OURS, text)

    def plain(self, text: str) -> None:
        with suppress(BrokenPipeError, ValueError):  # nobody looks any more: the logs have it all
            print(text, file=self._out, flush=True)
