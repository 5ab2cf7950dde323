"""What is true at the provider in the model test of the store, whatever the store was told of it.

A permit may become a call, a call a prediction, a prediction ends once. The adversary decides when
each happens, which answers are lost, and in which order and how often facts are told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from store.domain.failure import Failure, ProviderFailure
from store.domain.job import Job, Leased
from store.domain.reconciling import Evidence
from store.domain.states import AttemptState, FailureKind

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
POST_TIMEOUT = timedelta(seconds=20)
SETTLE = timedelta(seconds=120)


def seconds(count: float) -> timedelta:
    """A span of *count* seconds."""
    return timedelta(seconds=count)


def kept(job: Job, now: datetime, lease: timedelta) -> Job:
    """What a heartbeat does, which `adapters.workers` does in SQL for all jobs of a worker at once.

    A lease that is stretched over a paid call is left as it is.
    """
    sending = job.current is not None and job.current.state is AttemptState.SUBMITTING
    if sending or not isinstance(job.mover, Leased):
        return job
    return replace(job, mover=replace(job.mover, until=max(job.mover.until, now + lease)))


def failure(kind: FailureKind) -> ProviderFailure:
    """A provider's failure of *kind*."""
    return ProviderFailure(kind, Failure("FAILURE_REASON_PROVIDER_FAILED", "It failed."))


def unsendable() -> Failure:
    """Why a worker can not send what a job asks for."""
    return Failure("FAILURE_REASON_INVALID_INPUT", "A file that it needs is gone.")


@dataclass
class Prediction:
    """One run that the provider bills, from its creation."""

    name: str
    call: Call
    created: datetime
    cancel_after: int
    end: str | None = None  #: "SUCCEEDED", or an AttemptState without a result
    ran: float | None = None

    def live(self, now: datetime) -> bool:
        """It runs, or may still start to. The provider ends it by Cancel-After."""
        return self.end is None and now <= self.created + seconds(self.cancel_after)


@dataclass
class Call:
    """What a worker does with one permit."""

    job: int
    token: str
    send_by: datetime
    cancel_after: int
    sent: bool = False
    over: bool = False  #: it has created nothing and never will
    prediction: Prediction | None = None

    def may_arrive(self, now: datetime) -> bool:
        """Bytes that left in time are worked on for as long as the POST may take."""
        in_time = now <= self.send_by + POST_TIMEOUT if self.sent else now <= self.send_by
        return in_time and not self.over and self.prediction is None


@dataclass(frozen=True)
class Fact:
    """Something true that a worker tells the store, at any later time and any number of times."""

    verb: str  #: prediction, unknown, not_created, succeeded, ended
    call: Call = field(hash=False)
    kind: FailureKind = FailureKind.TRANSIENT


@dataclass
class World:
    """The provider, the workers' knowledge, and the clock."""

    now: datetime = BEGIN
    calls: dict[str, Call] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    others: list[datetime] = field(default_factory=list)  #: creations by other jobs of ours
    worst_lag: timedelta = timedelta()
    lied: bool = False  #: a worker said "not created" of a call that was: no more is promised

    def predictions(self, job: int) -> list[Prediction]:
        """Every run that the provider ever made for the job."""
        return [c.prediction for c in self.calls.values() if c.job == job and c.prediction]

    def tell(self, fact: Fact) -> None:
        """A worker knows it now."""
        if fact not in self.facts:
            self.facts.append(fact)

    def arrive(self, call: Call, answered: bool) -> None:
        """The provider takes the call; its answer may be late, and taken for lost."""
        call.sent = True
        call.prediction = Prediction(f"P-{call.token}", call, self.now, call.cancel_after)
        self.tell(Fact("prediction", call))
        if not answered:
            self.tell(Fact("unknown", call))

    def refuse(self, call: Call, kind: FailureKind, answered: bool) -> None:
        """The provider refuses the call, or it is never sent."""
        call.over = True
        self.tell(Fact("not_created" if answered else "unknown", call, kind))

    def end(self, prediction: Prediction, how: str, ran: float | None) -> None:
        """The provider's last word."""
        prediction.end, prediction.ran = how, ran
        kind = FailureKind.TRANSIENT if ran else FailureKind.PERMANENT
        self.tell(Fact("succeeded" if how == "SUCCEEDED" else "ended", prediction.call, kind))

    def end_by_itself(self) -> None:
        """Cancel-After ends what nobody ended."""
        for call in self.calls.values():
            run = call.prediction
            if run is not None and run.end is None and not run.live(self.now):
                self.end(run, AttemptState.CANCELED, None)

    def evidence(self, token: str, lag: timedelta, blurred: bool, foreign: int) -> Evidence:
        """A complete scan. What is there shows within SETTLE; a worse listing is old as a whole."""
        call = self.calls[token]
        self.worst_lag = max(self.worst_lag, lag)
        until = self.now - lag
        own = call.prediction if call.prediction and call.prediction.created <= until else None
        fresh = self.now if lag <= SETTLE else until
        later = [*self.others, *(p.created for c in self.calls.values() if (p := c.prediction))]
        return Evidence(
            began=self.now,
            strong=(own.name,) if own and not blurred else (),
            weak=foreign + (1 if own and blurred else 0),
            shows_later=any(call.send_by + POST_TIMEOUT < moment <= fresh for moment in later),
        )
