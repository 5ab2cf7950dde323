"""A job with its ledger of paid calls, as of one revision. Every change makes a new one.

The verbs are in modules of their own: `leasing` (who may work on it), `spending` and `recording`
(the paid call, and what became of it), `saving` (its result) and `ending` (cancel, deadline). All
go through `revise` and `end` here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from store.domain.charging import Metrics
from store.domain.failure import CALLERS_OWN, Failure
from store.domain.states import (
    FINAL,
    OCCUPYING,
    OPEN,
    AttemptState,
    Charge,
    Stage,
    State,
    WorkClass,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Moved on by admission."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """Moved on by the relay, which publishes it for *due*, and again if nobody claims it."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Leased:
    """Moved on by a worker, for as long as its heartbeats come."""

    owner: str
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Reconciling:
    """Moved on by the reconciler."""


Mover = Waiting | Dispatched | Leased | Reconciling


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One paid call: a row of the ledger."""

    number: int
    state: AttemptState
    submit_token: str
    account: str
    fingerprint: bytes
    input: bytes  #: the input as sent, a serialized Struct
    create_time: datetime
    send_by: datetime  #: no byte leaves after this
    settle_until: datetime  #: before this, absence from the listing proves nothing
    cancel_after: int  #: seconds after which the provider ends it by itself
    seed: int | None = None
    prediction_id: str | None = None
    submit_time: datetime | None = None
    end_time: datetime | None = None
    output: bytes | None = None  #: the provider's output, a serialized Value
    failure: Failure | None = None
    charge: Charge = Charge.UNKNOWN
    predict_seconds: float | None = None
    metrics: Metrics = ()
    clear_scans: int = 0  #: complete scans after settling that showed no trace
    unclear_scans: int = 0  #: complete scans after settling that showed more than one could explain
    last_scan_time: datetime | None = None  #: the last scan that counted
    seen_later: bool = False  #: a scan that counted also showed a later prediction of ours
    model_version: str | None = None  #: the version that ran, as the provider says


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A small picture that stands for an artifact, in an object of its own."""

    object_key: str
    media_type: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One stored result. What could not be read of it is 0 or None."""

    index: int
    object_key: str
    media_type: str
    size_bytes: int
    sha256: str
    output_path: str
    width: int = 0
    height: int = 0
    duration: timedelta | None = None
    preview: Preview | None = None
    create_time: datetime | None = None  #: None until it is written
    delete_time: datetime | None = None  #: its bytes were kept long enough, and are deleted
    kept_until: datetime | None = None  #: other jobs may need it until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What changes about a job. What was asked for stays in its row, untouched."""

    job_id: UUID
    tenant: str
    create_time: datetime
    deadline: datetime
    state: State = State.PENDING
    stage: Stage | None = None
    progress: int | None = None
    revision: int = 1
    mover: Mover | None = Waiting()
    dispatch: int = 0  #: fences messages
    lease_epoch: int = 0  #: fences workers
    work_class: WorkClass = WorkClass.DEFAULT
    retries: int = 0  #: counted failures, against MAX_RETRIES
    postponements: int = 0  #: returns that do not count, in a row: they only lengthen the delay
    takeovers: int = 0  #: leases lost in a row without a new fact
    update_time: datetime
    start_time: datetime | None = None
    end_time: datetime | None = None
    next_attempt_time: datetime | None = None
    cancel_request_time: datetime | None = None
    deadline_noted: bool = False
    failure: Failure | None = None
    output: bytes | None = None
    log_tail: str = ""  #: what the model of the newest attempt printed last
    redrive_of: UUID | None = None  #: the failed job that an operator let be made again as this
    redriven_as: UUID | None = None  #: the job that makes this failed one again
    attempts: tuple[Attempt, ...] = ()
    artifacts: tuple[Artifact, ...] = ()

    @property
    def final(self) -> bool:
        """The job never changes again."""
        return self.state in FINAL

    @property
    def current(self) -> Attempt | None:
        """The attempt that keeps another one from being made, if there is one."""
        return next((a for a in self.attempts if a.state in OCCUPYING), None)

    def live_orphan(self, now: datetime) -> bool:
        """A call that came too late may still be running: its end is neither recorded nor due."""
        return any(
            a.state is AttemptState.ORPHAN
            and a.end_time is None
            and now <= (a.submit_time or a.send_by) + timedelta(seconds=a.cancel_after)
            for a in self.attempts
        )

    @property
    def stopping(self) -> bool:
        """A cancel was asked for, or the time is up: no new call, and the live one is ended."""
        return self.cancel_request_time is not None or self.deadline_noted

    @property
    def charge(self) -> Charge:
        """Whether it cost anything, over all attempts."""
        charges = {attempt.charge for attempt in self.attempts}
        for charge in (Charge.YES, Charge.UNKNOWN):
            if charge in charges:
                return charge
        return Charge.NO

    @property
    def parked(self) -> bool:
        """Only an operator, its deadline or the call itself, if it turns up, moves the job on."""
        attempt = self.current
        return not self.final and attempt is not None and attempt.state is AttemptState.UNRESOLVED

    @property
    def dead_letter(self) -> bool:
        """The job was given up in a way that an operator should see."""
        return (
            self.state is State.FAILED
            and self.failure is not None
            and self.failure.reason not in CALLERS_OWN
        )

    def by_token(self, submit_token: str) -> Attempt | None:
        """The attempt that was given this permit."""
        return next((a for a in self.attempts if a.submit_token == submit_token), None)

    def by_prediction(self, prediction_id: str) -> Attempt | None:
        """The attempt that is this prediction."""
        return next((a for a in self.attempts if a.prediction_id == prediction_id), None)

    def holds(self, lease_epoch: int) -> bool:
        """The worker with this fence holds the job."""
        return isinstance(self.mover, Leased) and self.lease_epoch == lease_epoch


def revise(job: Job, now: datetime, **changes: Any) -> Job:
    """The job with *changes*, as a new revision that every watcher will see."""
    return replace(job, revision=job.revision + 1, update_time=now, **changes)


def with_attempt(job: Job, attempt: Attempt) -> tuple[Attempt, ...]:
    """The job's attempts with *attempt* in place of the one of its number, or added."""
    others = [a for a in job.attempts if a.number != attempt.number]
    return tuple(sorted([*others, attempt], key=lambda a: a.number))


def _closed(attempt: Attempt, now: datetime) -> Attempt:
    if attempt.state is AttemptState.SUBMITTED:
        return replace(attempt, state=AttemptState.ORPHAN)
    return replace(attempt, state=AttemptState.UNRESOLVED, end_time=now)


def end(job: Job, state: State, now: datetime, **changes: Any) -> Job:
    """The job in a final *state*: nothing moves it any more, and no attempt is left open.

    An attempt whose outcome is not known by now stays on record, so that a late answer still finds
    its row: a call that is known as an ORPHAN, which is canceled and read back; else UNRESOLVED.
    """
    attempts = changes.pop("attempts", job.attempts)
    closed = tuple(_closed(a, now) if a.state in OPEN else a for a in attempts)
    return revise(
        job,
        now,
        state=state,
        stage=None,
        progress=None,
        mover=None,
        end_time=now,
        next_attempt_time=None,
        attempts=closed,
        **changes,
    )
