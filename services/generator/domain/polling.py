"""When is a running prediction looked at next?

0.5 s after the create, then ×1.5 up to 2 s, up to 5 s once it has run for a minute (a video, or a
cold start). Trouble backs off instead and never gives up: the id is paid for.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 0.5
GROWTH = 1.5
SHORT_CAP = 2.0
LONG_CAP = 5.0
LONG_AFTER = 60.0
TROUBLE_FIRST = 1.0
TROUBLE_CAP = 15.0
# Early 404s are a known fault of the provider around a create.
MISSING_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The interval of one prediction; `after` gives the next one."""

    interval: float = FIRST
    failures: int = 0
    looks: int = 0

    def answered(self, running_for: float) -> Rhythm:
        """After an answer. `running_for`: seconds since the prediction was first looked at."""
        cap = LONG_CAP if running_for >= LONG_AFTER else SHORT_CAP
        return Rhythm(min(self.interval * GROWTH, cap), looks=self.looks + 1)

    def troubled(self, retry_after: float | None = None) -> Rhythm:
        """After no usable answer; waits at least as long as the provider says."""
        wait = min(TROUBLE_FIRST * 2**self.failures, TROUBLE_CAP)
        interval = max(wait, min(retry_after or 0.0, 60.0))
        return Rhythm(interval, min(self.failures + 1, 10), self.looks + 1)


class Pace:
    """All predictions of one process share the account's read limit, 3000 a minute as documented:
    many slow every look but the first, and so does a 429 (other processes have their share)."""

    MOST = 16.0
    LOOKS_PER_SECOND = 50.0

    def __init__(self) -> None:
        self.stretch = 1.0

    def delay(self, rhythm: Rhythm, running: int, jitter: float) -> float:
        """Seconds until the next look at one of *running* predictions; *jitter* in [0, 1)."""
        least = running / self.LOOKS_PER_SECOND if rhythm.looks else 0.0
        return max(rhythm.interval, least) * self.stretch * (0.9 + 0.2 * jitter)

    def throttled(self) -> None:
        self.stretch = min(self.stretch * 1.5, self.MOST)

    def answered(self) -> None:
        # Slowly: about 700 answers undo one doubling.
        self.stretch = max(1.0, self.stretch * 0.999)
