"""Which jobs does a watch of jobs tell of? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

from mediagen.store.v1.feed_pb2 import FeedEvent
from mediagen.v1 import job_pb2

if TYPE_CHECKING:
    State: TypeAlias = job_pb2.Job.State.ValueType

FINAL = frozenset(
    {
        job_pb2.Job.STATE_COMPLETED,
        job_pb2.Job.STATE_FAILED,
        job_pb2.Job.STATE_CANCELED,
    }
)


class Kind(NamedTuple):
    """What filters ask about a job, as of now."""

    model: str
    labels: Mapping[str, str]
    state: State


@dataclass(frozen=True, slots=True)
class JobFilter:
    """All must hold; what is empty holds. Equal filters are told the same, once for all of them."""

    states: frozenset[State] = frozenset()
    model: str = ""
    labels: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, states: Iterable[State], model: str, labels: Iterable[str]) -> Self:
        """The filter of a request, whose labels are "key=value"."""
        pairs = (label.partition("=") for label in labels)
        return cls(frozenset(states), model, frozenset((key, value) for key, _, value in pairs))

    def matches(self, event: FeedEvent) -> bool:
        """Whether the job of *event* is in one of the states, or may have been until then."""
        if self.states and event.job.state not in self.states:
            previous = event.previous_state
            # A row of before does not say the state before: then it may have been any.
            unknown = not previous and event.job.revision > 1
            if not unknown and previous not in self.states:
                return False
        return self._matches(event.model, event.labels)

    def enters(self, event: FeedEvent) -> bool:
        """Whether a watcher may not know the job of *event*, which matches, from before."""
        if event.job.revision == 1:
            return True
        return bool(self.states) and event.previous_state not in self.states

    def holds(self, kind: Kind) -> bool:
        """Whether a job of this kind matches as it is."""
        return (not self.states or kind.state in self.states) and self._matches(
            kind.model, kind.labels
        )

    def _matches(self, model: str, labels: Mapping[str, str]) -> bool:
        if self.model and self.model != model:
            return False
        return all(labels.get(key) == value for key, value in self.labels)
