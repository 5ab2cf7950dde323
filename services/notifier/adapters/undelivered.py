"""How does the road to an endpoint end early? With the outcome that it comes to."""

from __future__ import annotations

from notifier.domain.outcome import Outcome


class Undelivered(Exception):
    """The post ended without an answer; *outcome* says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome
