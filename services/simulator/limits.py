"""How many requests are left? Token buckets, one for creates and one for everything else."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`per_minute` tokens flow back in a minute; at most `burst` are ready at once."""

    per_minute: float
    burst: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        if self.left < 0:
            self.left, self.at = self.burst, now
        flow = self.per_minute / 60.0
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * flow)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def wait(self) -> float:
        """Seconds until the next token."""
        return max(0.0, (1 - self.left) * 60.0 / self.per_minute)


class Limits:
    """The account's limits, shared by every caller."""

    def __init__(self, creates_per_minute: float = 600, creates_burst: float = 600) -> None:
        self.creates = Bucket(creates_per_minute, creates_burst)
        self.others = Bucket(3000, 3000)
        self.low_credit = Bucket(6, 1)
