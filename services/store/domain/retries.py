"""How long a job waits before it is tried again. Pure: the caller brings the jitter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

LONGEST_POSTPONEMENT = timedelta(minutes=2)
LONGEST_TAKEOVER = timedelta(minutes=5)
QUARANTINE_AFTER = 3  #: leases lost in a row without a new fact
GIVE_UP_AFTER = 6  #: that many, with nothing sent that could be paid for


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """MAX_RETRIES and RETRY_BACKOFF_BASE: 3 and 2.0 give four attempts, 2, 4 and 8 s apart."""

    max_retries: int = 3
    backoff_base: float = 2.0

    def delay(self, retry: int, retry_after: timedelta | None, jitter: float) -> timedelta:
        """The wait before retry number *retry*, from 1; *jitter* in [0, 1) adds up to a tenth."""
        seconds = min(self.backoff_base**retry, 3600.0) * (1 + jitter / 10)
        return max(timedelta(seconds=seconds), retry_after or timedelta())

    def exhausted(self, retries: int) -> bool:
        """No retry is left after *retries* of them."""
        return retries >= self.max_retries


def postponement(count: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """The wait after return number *count* (from 0) that is nobody's fault: 1 s · 2ⁿ, ≤ 2 min."""
    seconds = timedelta(seconds=min(2.0 ** min(count, 10), 120.0) * (1 + jitter / 10))
    return max(min(seconds, LONGEST_POSTPONEMENT), retry_after or timedelta())


def takeover_delay(takeovers: int) -> timedelta:
    """The wait before another worker takes a lost job: none at first, then 5 s · 2ⁿ, ≤ 5 min."""
    if takeovers == 0:
        return timedelta()
    return min(timedelta(seconds=5 * 2 ** (min(takeovers, 10) - 1)), LONGEST_TAKEOVER)
