"""How many waiting jobs may be dispatched now.

Only what the workers can take soon is given to the broker, so that order, cancel and limits are
decided here, where the truth is, and not in a queue.

What they can take soon is told by what they do, not by their free slots alone: slow workers, or
dead ones that are still counted, have many. A message that waits for longer than a minute is
published again, and a queue of such copies keeps idle workers from every job in it.
"""

from __future__ import annotations

LEAST = 16  #: dispatched even when no worker is known, so that a new one finds work at once
AHEAD_SECONDS = 2.0  #: what the workers finish while a message is on its way
SOON_SECONDS = 10.0  #: how long a message may wait at the pace of the last seconds


def room(*, slots: int, running: int, finished_per_second: float, dispatched: int) -> int:
    """How many more jobs to dispatch. *dispatched* counts those that are due and not taken."""
    soon = round(finished_per_second * SOON_SECONDS)
    window = max(LEAST, min(slots - running, soon)) + round(finished_per_second * AHEAD_SECONDS)
    return max(0, window - dispatched)
