"""When is a running prediction looked at next?

Without webhooks: 0.5 s after the create, then ×1.5 up to 2 s, up to 5 s once it has run for a
minute (a video, or a cold start). With them, looks are a safety net:

    OPEN: asked for ──10 s without a word──▶ a look ┬ still starting: nothing was missed, go on
                                                    └ it runs or has ended: SHUT
    HEARD: one came ──30 s of silence, then 60 s──▶ a look, for the one that may have been lost
    SHUT: none is waited for: as without; one that comes all the same is HEARD
    ENDING: told of the end, or to be canceled: as without, from the first step

Trouble backs off instead and never gives up: the id is paid for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Self

FIRST = 0.5
GROWTH = 1.5
SHORT_CAP = 2.0
LONG_CAP = 5.0
LONG_AFTER = 60.0
TROUBLE_FIRST = 1.0
TROUBLE_CAP = 15.0
UNHEARD_FIRST = 10.0
UNHEARD_CAP = 30.0
SILENCE_FIRST = 30.0
SILENCE_LATER = 60.0
# Early 404s are a known fault of the provider around a create.
MISSING_PATIENCE = 60.0
# No webhook is due before the model starts, and none is promised for one that never does.
_UNTOLD = frozenset({"starting", "aborted"})


class Ears(Enum):
    """What is expected of webhooks, for one prediction."""

    OPEN = auto()
    HEARD = auto()
    SHUT = auto()
    ENDING = auto()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The interval of one prediction; each method gives the next one."""

    interval: float = FIRST
    failures: int = 0
    looks: int = 0
    ears: Ears = Ears.SHUT

    @classmethod
    def listening(cls) -> Self:
        """Of a prediction whose webhooks are counted on."""
        return cls(UNHEARD_FIRST, ears=Ears.OPEN)

    def answered(self, running_for: float, status: str = "") -> Rhythm:
        """After a look. `running_for`: seconds since the prediction was first looked at."""
        looks = self.looks + 1
        cap = LONG_CAP if running_for >= LONG_AFTER else SHORT_CAP
        if self.ears is Ears.HEARD:
            return Rhythm(SILENCE_LATER, looks=looks, ears=Ears.HEARD)
        if self.missed(status):
            return Rhythm(cap, looks=looks)
        if self.ears is Ears.OPEN:
            longer = max(UNHEARD_FIRST, min(self.interval * GROWTH, UNHEARD_CAP))
            return Rhythm(longer, looks=looks, ears=Ears.OPEN)
        return Rhythm(min(self.interval * GROWTH, cap), looks=looks, ears=self.ears)

    def missed(self, status: str) -> bool:
        """A look that shows *status* shows too that a webhook should have come."""
        return self.ears is Ears.OPEN and status not in _UNTOLD

    def heard(self) -> Rhythm:
        """After a webhook that is not of the end."""
        if self.ears is Ears.ENDING:
            return self  # it was overtaken
        return Rhythm(SILENCE_FIRST, looks=self.looks, ears=Ears.HEARD)

    def ending(self) -> Rhythm:
        """From now on its end is waited for: a webhook told it, or a cancel was sent."""
        if self.ears is Ears.ENDING:
            return self
        return Rhythm(looks=self.looks, ears=Ears.ENDING)

    def troubled(self, retry_after: float | None = None) -> Rhythm:
        """After no usable answer; waits at least as long as the provider says."""
        wait = min(TROUBLE_FIRST * 2**self.failures, TROUBLE_CAP)
        interval = max(wait, min(retry_after or 0.0, 60.0))
        failures = min(self.failures + 1, 10)
        return replace(self, interval=interval, failures=failures, looks=self.looks + 1)


class Hearing:
    """Do webhooks reach this worker? Where several predictions in a row should have had one and
    had none, the next ones are polled from the start, until one is heard again."""

    MISSES = 3

    def __init__(self, asked: bool = False) -> None:
        self._asked = asked
        self._missed = 0

    @property
    def deaf(self) -> bool:
        return self._missed >= self.MISSES

    def rhythm(self) -> Rhythm:
        """Of a prediction that was created now."""
        return Rhythm.listening() if self._asked and not self.deaf else Rhythm()

    def heard(self) -> None:
        self._missed = 0

    def missed(self) -> None:
        self._missed += 1


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
