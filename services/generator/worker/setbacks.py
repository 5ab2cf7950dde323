"""How long does a job wait that this worker could not finish? Longer each time it comes back.

Only a memory of this process, and a bounded one: it spares the provider and the disk, and nothing
that must hold rests on it.
"""

from __future__ import annotations

_MOST = 10_000
_LONGEST = 300.0


class Setbacks:
    """Counts them by job."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def delay(self, job_id: str, first: float) -> float:
        """Seconds to wait after one more: *first*, doubled for each before, 5 min at most."""
        count = self._seen.pop(job_id, 0)
        self._seen[job_id] = count + 1
        while len(self._seen) > _MOST:
            self._seen.pop(next(iter(self._seen)))
        return float(min(first * 2 ** min(count, 20), max(first, _LONGEST)))
