"""How many waiting jobs may be dispatched now.

Only what the workers can take soon is given to the broker, so that order, cancel and limits are
decided here, where the truth is, and not in a queue.
"""

from __future__ import annotations

LEAST = 16  #: dispatched even when no worker is known, so that a new one finds work at once
AHEAD_SECONDS = 2.0  #: what the workers finish while a message is on its way


def room(*, slots: int, running: int, finished_per_second: float, dispatched: int) -> int:
    """How many more jobs to dispatch. *dispatched* counts those that are due and not taken."""
    window = max(LEAST, slots - running) + round(finished_per_second * AHEAD_SECONDS)
    return max(0, window - dispatched)
