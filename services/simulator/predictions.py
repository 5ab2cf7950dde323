"""What has become of a prediction by now? Pure: a plan and a time in, a moment out.

    starting --(queue)--> processing --(run)--> succeeded | failed | canceled | aborted
        |                     +-- cancel or deadline ---> canceled
        +-- deadline --> aborted        cancel --> canceled

The earliest end wins and is for ever: as `now` grows, a status only moves forward.
"""

from dataclasses import dataclass
from typing import Literal

Status = Literal["starting", "processing", "succeeded", "failed", "canceled", "aborted"]
TERMINAL: frozenset[str] = frozenset({"succeeded", "failed", "canceled", "aborted"})
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will happen, known at creation; only a cancel is added later.

    Times are seconds since the epoch, `queue` and `run` are durations in seconds.
    `starts` False: the natural end comes when the queue ends, without having run.
    """

    created_at: float
    queue: float
    run: float
    ending: Status = "succeeded"
    error: str | None = None
    starts: bool = True
    deadline: float | None = None
    canceled_at: float | None = None
    retention: float = 3600.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A prediction as seen at one time. `done` is the share of the run behind it, 0 to 1."""

    status: Status
    started_at: float | None = None
    completed_at: float | None = None
    done: float = 0.0
    error: str | None = None
    data_removed: bool = False

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class End:
    """The end of a plan: when, with which status, and whether it had started by then."""

    at: float
    status: Status
    started: bool
    error: str | None = None


def starts_at(plan: Plan) -> float:
    """When a worker takes it, or NEVER."""
    return plan.created_at + plan.queue if plan.starts else NEVER


def ends_at(plan: Plan) -> End:
    """The end that comes first: its own, the caller's cancel, or the deadline."""
    start = plan.created_at + plan.queue
    natural = start + plan.run if plan.starts else start
    end = End(natural, plan.ending, plan.starts, plan.error)
    started_by = starts_at(plan)
    if plan.deadline is not None and plan.deadline < end.at:
        started = plan.deadline >= started_by
        end = End(plan.deadline, "canceled" if started else "aborted", started)
    if plan.canceled_at is not None and plan.canceled_at < end.at:
        end = End(plan.canceled_at, "canceled", plan.canceled_at >= started_by)
    return end


def observe(plan: Plan, now: float) -> Moment:
    """The prediction as it stands at `now`."""
    end, start = ends_at(plan), starts_at(plan)
    if now >= end.at:
        return Moment(
            status=end.status,
            started_at=start if end.started else None,
            completed_at=end.at,
            done=_share(plan, start, end.at) if end.started else 0.0,
            error=end.error,
            data_removed=now >= end.at + plan.retention,
        )
    if now >= start:
        return Moment(status="processing", started_at=start, done=_share(plan, start, now))
    return Moment(status="starting")


def _share(plan: Plan, start: float, at: float) -> float:
    if plan.run == NEVER:
        return 0.5  # a run that hangs shows half of its steps for ever
    # The epoch's seconds leave about a microsecond of error in a difference.
    return 1.0 if at >= start + plan.run - 1e-6 else max(0.0, (at - start) / plan.run)
