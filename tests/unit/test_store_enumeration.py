"""Do the promises hold in every state that the ledger can get into? All of them, to a depth.

One job, at most two calls of it, and everything that can happen next: each verb of the store, what
becomes of a call at the provider, true facts told at any time, true scans of the listing, an
operator, and four lengths of time. Breadth first; two states that no verb can tell apart are one.
Where the random walks of test_store_model go far, this goes everywhere near.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from store.domain import ending, leasing, operating, reconciling, recording, saving, spending
from store.domain.errors import JobError
from store.domain.failure import output_lost
from store.domain.job import Attempt, Job, Leased, Reconciling
from store.domain.reconciling import Evidence
from store.domain.retries import RetryPolicy
from store.domain.states import OCCUPYING, AttemptState, FailureKind, State

from .store_constraints import artifact, check_permit, check_step, is_saving, spends
from .store_world import BEGIN, POST_TIMEOUT, SETTLE, failure, seconds, unsendable

LIMITS = spending.Limits(SETTLE, seconds(300))
POLICY = RetryPolicy(max_retries=1)
LEASE, GAP = seconds(30), seconds(30)
#: Past the permit; past the lease and between scans; past the settling; past Cancel-After.
SPANS = (6, 41, 160, 500)
ENDS = (
    AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.CANCELED, AttemptState.ABORTED,
)  # fmt: skip
MOST_CALLS = 2
DEPTH = 15

Verb = Callable[[Job], Any]


@dataclass(frozen=True)
class Call:
    """One permit, as it is in truth."""

    token: str
    send_by: datetime
    cancel_after: int
    over: bool = False  #: it has created nothing and never will
    created: datetime | None = None
    end: AttemptState | None = None

    def may_arrive(self, now: datetime) -> bool:
        return not self.over and self.created is None and now <= self.send_by + POST_TIMEOUT

    def live(self, now: datetime) -> bool:
        if self.created is None or self.end is not None:
            return False
        return now <= self.created + timedelta(seconds=self.cancel_after)


@dataclass(frozen=True)
class Here:
    """One state of the job and of the world around it."""

    job: Job
    now: datetime
    calls: tuple[Call, ...] = ()
    written_off: frozenset[str] = frozenset()

    def key(self) -> Any:
        """What decides about all that may follow: numbers and times only by what they say."""
        job, now = self.job, self.now
        mover = job.mover
        leased = isinstance(mover, Leased) and mover.until > now
        return (
            job.state, job.stage, type(mover), leased, job.work_class, job.retries,
            min(job.takeovers, 2), job.cancel_request_time is None, job.deadline_noted,
            job.deadline > now, job.redriven_as is None,
            tuple(_key(a, now) for a in job.attempts), len(job.artifacts),
            tuple((c.over, c.end, c.may_arrive(now), c.live(now), c.created is None)
                  for c in self.calls),
            self.written_off,
        )  # fmt: skip


def _key(a: Attempt, now: datetime) -> Any:
    return (
        a.state, a.prediction_id is None, a.end_time is None, a.charge, a.output is None,
        a.clear_scans, a.unclear_scans, a.seen_later, a.settle_until > now,
        a.last_scan_time is None or now - a.last_scan_time >= GAP,
        now - a.create_time > reconciling.WINDOW,
    )  # fmt: skip


def verbs(here: Here) -> Iterator[tuple[str, Verb]]:
    """Everything that the store can be asked for, or does by itself."""
    job, now, epoch = here.job, here.now, here.job.lease_epoch
    claimed = {"dispatch": job.dispatch, "worker": "w", "token": f"t{epoch}", "now": now}
    yield "admit", lambda job: leasing.admit(job, now)
    yield "claim", lambda job: leasing.claim(job, lease=LEASE, **claimed)
    yield "release", lambda job: leasing.release(job, epoch, seconds(0), now)
    yield "expire", lambda job: leasing.expire(job, now)
    yield "cancel", lambda job: ending.cancel(job, now)
    yield "note deadline", lambda job: ending.note_deadline(job, now)
    yield "give up waiting", lambda job: ending.give_up_waiting(job, now, SETTLE)
    yield "expire doubt", lambda job: reconciling.expire_doubt(job, now)
    if len(here.calls) < MOST_CALLS:
        call = spending.Call(
            submit_token=f"c{len(here.calls)}", account="a", fingerprint=b"f", input=b"", seed=None,
            post_timeout=POST_TIMEOUT,
        )  # fmt: skip
        yield "begin", lambda job: spending.begin_submit(job, epoch, call, LIMITS, now)
    yield "fail unsent", lambda job: spending.fail_unsent(job, epoch, unsendable(), now)
    if is_saving(job):
        yield "list", lambda job: saving.record_artifacts(job, epoch, (artifact(0, epoch),), now)
        yield "complete", lambda job: saving.complete(job, epoch, (), None, now)
        yield "fail saving", lambda job: saving.fail_saving(job, epoch, output_lost(), now)
    if job.parked:
        yield "redrive", lambda job: operating.redrive_parked(job, now)
        yield "discard", lambda job: operating.discard_parked(job, now)
    if job.dead_letter and job.redriven_as is None:
        yield "redrive failed", lambda job: operating.redrive_failed(job, UUID(int=9))


def facts(here: Here, call: Call) -> Iterator[tuple[str, Verb]]:
    """What is true of a call, told late or again, by a worker or a webhook."""
    now, name, token = here.now, f"P-{call.token}", call.token
    yield "unknown", lambda job: recording.record_unknown(job, token, now)
    if call.over:
        for kind in (FailureKind.RATE, FailureKind.ACCOUNT, FailureKind.PERMANENT):
            told = failure(kind)
            yield (
                f"refused {kind}",
                lambda job, told=told: recording.record_not_created(job, token, told, now, 0.5),
            )
    if call.created is not None:
        yield "prediction", lambda job: recording.record_prediction(job, token, name, now)
    known = here.job.by_prediction(name) is not None
    if known and call.end is AttemptState.SUCCEEDED:
        yield "succeeded", lambda job: recording.record_succeeded(job, name, b"", 2.0, now)
    elif known and call.end is not None:
        end, told = call.end, failure(FailureKind.TRANSIENT)
        yield (
            "ended",
            lambda job: recording.record_ended(
                job, name, end, told, 2.0, policy=POLICY, now=now, jitter=0.5
            ),
        )


def scans(here: Here, call: Call) -> Iterator[tuple[str, Verb]]:
    """A complete look at the listing: sharp, or blurred by what is not provably another's."""
    now, token = here.now, call.token
    strong = (f"P-{token}",) if call.created is not None else ()
    shown = {
        "scan": Evidence(now, strong, 0, shows_later=True),
        "stale scan": Evidence(now, strong, 0, shows_later=False),
        "blurred scan": Evidence(now, (), 1, shows_later=True),
    }
    for name, evidence in shown.items():
        yield (
            name,
            lambda job, evidence=evidence: reconciling.weigh(job, token, evidence, now, GAP, 0.5),
        )


def world_changes(here: Here) -> Iterator[tuple[str, Here]]:
    """Time, and what becomes of a call at the provider."""
    for span in SPANS:
        later = here.now + seconds(span)
        calls = tuple(
            replace(c, end=AttemptState.CANCELED) if c.live(here.now) and not c.live(later) else c
            for c in here.calls
        )
        yield f"{span} s", replace(here, now=later, calls=calls)
    for index, call in enumerate(here.calls):
        becomes = {}
        if call.may_arrive(here.now):
            becomes = {"arrives": {"created": here.now}, "is refused": {"over": True}}
        elif call.live(here.now):
            becomes = {f"ends {end}": {"end": end} for end in ENDS}
        for name, change in becomes.items():
            changed = replace(call, **change)  # type: ignore[arg-type]
            calls = (*here.calls[:index], changed, *here.calls[index + 1 :])
            yield name, replace(here, calls=calls)


def steps(here: Here) -> Iterator[tuple[str, Here]]:
    """Every state that may come next, each checked on the way."""
    asked = [*verbs(here)]
    for call in here.calls:
        asked += facts(here, call)
        attempt = here.job.by_token(call.token)
        doubted = attempt and attempt.state in (AttemptState.UNKNOWN, AttemptState.UNRESOLVED)
        if doubted and isinstance(here.job.mover, Reconciling):
            asked += scans(here, call)
    for name, verb in asked:
        after = applied(here, verb)
        if after is not None:
            yield name, after
    yield from world_changes(here)


def applied(here: Here, verb: Verb) -> Here | None:
    """The state after *verb*, held to every promise; None if it was refused or changed nothing."""
    old = here.job
    try:
        outcome = verb(old)
    except JobError:
        return None
    new: Job = outcome if isinstance(outcome, Job) else outcome.job
    if new is old:
        return None
    check_step(old, new)
    calls = here.calls
    if spends(old, new):
        check_permit(old, here.now)
        check_truth(here)
        permit = new.attempts[-1]
        calls = (*calls, Call(permit.submit_token, permit.send_by, permit.cancel_after))
    off = {a.submit_token for a in new.attempts if a.state is AttemptState.WRITTEN_OFF}
    back = {a.submit_token for a in new.attempts if a.state in OCCUPYING}
    return replace(here, job=new, calls=calls, written_off=(here.written_off | off) - back)


def check_truth(here: Here) -> None:
    """No other call of the job is live, may arrive or succeeded; what is written off apart."""
    kept = [call for call in here.calls if call.token not in here.written_off]
    assert not any(call.may_arrive(here.now) for call in kept), "two calls may be on their way"
    assert not any(call.live(here.now) for call in kept), "two live calls"
    assert not any(call.end is AttemptState.SUCCEEDED for call in kept), "paid after a success"


def check_state(here: Here) -> None:
    """What holds of every state by itself."""
    kept = [call for call in here.calls if call.token not in here.written_off]
    assert sum(call.live(here.now) for call in kept) <= 1, "two live calls"


def enumerated(depth: int) -> tuple[int, int, set[AttemptState], set[State]]:
    """(states, steps, attempt states seen, job states seen) within *depth* steps of a new job."""
    job = Job(
        job_id=UUID(int=1), tenant="t", create_time=BEGIN, update_time=BEGIN,
        deadline=BEGIN + seconds(900),
    )  # fmt: skip
    first = Here(job, BEGIN)
    seen, edge, taken = {first.key()}, [(first, ())], 0
    attempts: set[AttemptState] = set()
    states = {State.PENDING}
    for _ in range(depth):
        following: list[tuple[Here, Any]] = []
        for here, road in edge:
            for name, after in checked(here, road):
                taken += 1
                key = after.key()
                if key in seen:
                    continue
                seen.add(key)
                attempts.update(a.state for a in after.job.attempts)
                states.add(after.job.state)
                following.append((after, (*road, name)))
        edge = following
    return len(seen), taken, attempts, states


def checked(here: Here, road: tuple[str, ...]) -> Iterator[tuple[str, Here]]:
    """The next states; a broken promise says by which road it was reached."""
    try:
        for name, after in steps(here):
            check_state(after)
            yield name, after
    except AssertionError as error:
        raise AssertionError(f"{error}, after: {' → '.join(road)}") from error


def test_the_promises_hold_in_every_state_within_reach(capsys: pytest.CaptureFixture[str]) -> None:
    """Every road of that many steps from a new job: none breaks a promise."""
    count, taken, attempts, states = enumerated(DEPTH)
    with capsys.disabled():
        print(f"\nthe attempt ledger: {count} states, {taken} steps, {DEPTH} deep")
    assert count > 5_000
    assert attempts == set(AttemptState)
    assert states == set(State)


def test_a_ledger_that_forgets_a_call_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The enumeration can fail: with a reconciler that denies on one look, two calls are live."""

    def hasty(job: Job, token: str, evidence: Evidence, now: datetime, *_: Any) -> Job:
        return recording.record_not_created(job, token, reconciling.NOT_CREATED, now, 0.5)

    monkeypatch.setattr(reconciling, "weigh", hasty)
    with pytest.raises(AssertionError, match=r"may be on their way|two live calls"):
        enumerated(DEPTH)
