"""Do the promises hold for every order of events? A random walk over the pure domain.

Two jobs, a provider with its own truth (`store_world`), workers that die, are fenced, lose answers,
and tell facts late, twice and out of order. Every step is checked, and repeated.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from store.adapters.projection import job_message
from store.domain import ending, leasing, reconciling, recording, spending
from store.domain.errors import JobError
from store.domain.failure import output_lost
from store.domain.job import Dispatched, Job, Leased, Reconciling, Waiting
from store.domain.retries import RetryPolicy
from store.domain.states import (
    FINAL,
    OCCUPYING,
    OPEN,
    AttemptState,
    Charge,
    FailureKind,
    Stage,
    State,
)

from .store_world import BEGIN, POST_TIMEOUT, SETTLE, Call, Fact, World, failure, kept, seconds

LIMITS = spending.Limits(SETTLE, seconds(600))
POLICY = RetryPolicy()
LEASE, GAP = seconds(30), seconds(30)
LEGAL = {
    (State.PENDING, Waiting),
    (State.PENDING, Dispatched),
    (State.RUNNING, Dispatched),
    (State.RUNNING, Leased),
    (State.RUNNING, Reconciling),
    *((state, type(None)) for state in FINAL),
}
OVER = {
    AttemptState.NOT_CREATED,
    AttemptState.FAILED,
    AttemptState.CANCELED,
    AttemptState.ABORTED,
    AttemptState.WRITTEN_OFF,
}
reached: set[tuple[State, type]] = set()
attempt_states: set[AttemptState] = set()
SELDOM, OFTEN = [False, False, False, True], [True, True, True, False]
CHOICES: dict[str, list[Any]] = {  # the arguments of every rule, by name
    "n": [0, 1],
    "pick": list(range(8)),
    "span": [0.5, 3, 3, 3, 3, 15, 31, 31, 160, 700],
    "stale": SELDOM, "fenced": SELDOM, "wanted": SELDOM, "old": SELDOM, "blurred": SELDOM,
    "foreign": SELDOM,
    "answered": OFTEN, "newest": OFTEN, "seen": OFTEN, "stored": OFTEN, "sent": OFTEN,
    "taken": [True, False],
    "then": ["answered", "answered", "lost", "lost", "refused", "silence", "lied"],
    "mark": [b"same", b"own"],
    "kind": list(FailureKind),
    "how": ["SUCCEEDED", "SUCCEEDED", "FAILED", "FAILED", "CANCELED", "ABORTED"],
    "ran": [None, 0.0, 2.0],
    "stage": [None, *Stage],
    "progress": [None, 5, 50],
    "wait": [0, 5],
    "lag": [0, 0, 60, 120, 600, 600],
}  # fmt: skip
STEPS: dict[str, list[str]] = {}  # the rules, by name


def step(method: Any) -> Any:
    """A rule whose arguments are drawn from CHOICES."""
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    STEPS[method.__name__] = names
    return rule(**{name: st.sampled_from(CHOICES[name]) for name in names})(method)


def constraints(job: Job) -> dict[str, bool]:
    """Every CHECK constraint and partial index of `store.adapters.tables`, restated."""
    final, state, mover = job.final, job.state, job.mover
    rules = {
        "one_mover_unless_final": final == (mover is None),
        "end_time_if_final": final == (job.end_time is not None),
        "stage_while_running": job.stage is None or state is State.RUNNING,
        "started": state is not State.RUNNING or job.start_time is not None,
        "failed_for_a_reason": state is not State.FAILED or job.failure is not None,
        "leased_while_running": not isinstance(mover, Leased) or state is State.RUNNING,
        "reconciled_running": not isinstance(mover, Reconciling) or state is State.RUNNING,
        "asked": state is not State.CANCELED or job.cancel_request_time is not None,
        "progress": job.progress is None or 0 <= job.progress <= 100,
        "one_per_job": sum(a.state in OCCUPYING for a in job.attempts) <= 1,
        "final_is_quiet": not final or not any(a.state in OPEN for a in job.attempts),
        "submitting_is_leased": final
        or isinstance(mover, Leased)
        or not any(a.state is AttemptState.SUBMITTING for a in job.attempts),
        "pending_has_no_call": state is not State.PENDING or job.current is None,
    }
    doubted = job.current is not None and job.current.state in (
        AttemptState.UNKNOWN, AttemptState.UNRESOLVED,
    )  # fmt: skip
    rules["reconciler_iff_doubt"] = final or doubted == isinstance(mover, Reconciling)
    created = {*OVER, AttemptState.SUBMITTED, AttemptState.SUCCEEDED, AttemptState.ORPHAN}
    created -= {AttemptState.NOT_CREATED, AttemptState.WRITTEN_OFF}
    for a in job.attempts:
        free = (AttemptState.NOT_CREATED, AttemptState.ABORTED)
        none = (AttemptState.SUBMITTING, AttemptState.UNKNOWN, AttemptState.NOT_CREATED)
        paid = a.state is not AttemptState.SUCCEEDED or a.charge is Charge.YES
        rules[f"{a.number} id_if_created"] = a.prediction_id is not None or a.state not in created
        rules[f"{a.number} no_id_if_not"] = a.prediction_id is None or a.state not in none
        rules[f"{a.number} success_is_paid"] = paid
        rules[f"{a.number} free"] = a.state not in free or a.charge is Charge.NO
    return rules


class Walk(RuleBasedStateMachine):
    """Every rule is one verb at one job, or one thing that happens in the world."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.jobs = [
            Job(job_id=UUID(int=n), tenant="t", create_time=BEGIN, update_time=BEGIN,
                deadline=BEGIN + seconds(life))
            for n, life in enumerate((900, 3600))
        ]  # fmt: skip
        self.claims = 0

    # What every step is held to.

    def change(self, n: int, verb: Callable[[Job], Any], *, again: bool = True) -> bool:
        """Applies *verb*; False if it was refused by an error."""
        old = self.jobs[n]
        try:
            new = self._job(verb(old))
        except JobError:
            return False
        assert new.revision - old.revision in (0, 1)
        assert new.dispatch >= old.dispatch and new.lease_epoch >= old.lease_epoch
        if old.final:
            same = ("state", "revision", "mover", "failure", "end_time", "artifacts", "output")
            assert all(getattr(new, name) == getattr(old, name) for name in same)
        elif new.revision == old.revision:
            assert job_message(new) == job_message(old), "seen by no watcher"
        later = {a.number: a for a in new.attempts}
        for a in old.attempts:
            assert a.charge is not Charge.YES or later[a.number].charge is Charge.YES
        fresh = [a for a in new.attempts if a.number > len(old.attempts)]
        if any(a.state is AttemptState.SUBMITTING for a in fresh):
            self.may_spend(n, old)
        broken = [name for name, holds in constraints(new).items() if not holds]
        assert not broken
        if again:
            try:
                assert self._job(verb(new)) == new, "a repeat changed something"
            except JobError:
                assert not new.final or old.state is not new.state
        self.jobs[n] = new
        reached.add((new.state, type(new.mover)))
        attempt_states.update(a.state for a in new.attempts)
        return True

    @staticmethod
    def _job(outcome: Any) -> Job:
        return outcome if isinstance(outcome, Job) else outcome.job  # type: ignore[no-any-return]

    def may_spend(self, n: int, job: Job) -> None:
        """A permit only when each earlier call is definitely over, by the ledger and in truth."""
        now = self.world.now
        assert not job.stopping and isinstance(job.mover, Leased) and job.mover.until > now
        for a in job.attempts:
            ended = a.end_time is not None or (
                a.submit_time is not None and now > a.submit_time + seconds(a.cancel_after)
            )
            assert a.state in OVER or (a.state is AttemptState.ORPHAN and ended), a.state
            assert a.output is None, "paid again after a success that was recorded"
        earlier = [c for c in self.world.calls.values() if c.job == n]
        assert not any(call.may_arrive(now) for call in earlier), "two calls may be on their way"
        if self.world.lied:
            return
        runs = self.world.predictions(n)
        assert not any(run.live(now) for run in runs), "two live calls"
        if self.world.worst_lag <= SETTLE:
            assert not any(run.end == "SUCCEEDED" for run in runs), "paid again after a success"

    @invariant()
    def twins_are_never_both_in_doubt(self) -> None:
        """Unique index (c) of the attempts."""
        doubts = [a.fingerprint for job in self.jobs for a in job.attempts if _in_doubt(a)]
        assert len(doubts) == len(set(doubts))

    # Time, admission, leases.

    @step
    def pass_time(self, span: float) -> None:
        self.world.now += seconds(span)
        self.world.end_by_itself()

    @step
    def admit(self, n: int) -> None:
        self.change(n, lambda job: leasing.admit(job, self.world.now))

    @step
    def claim(self, n: int, stale: bool) -> None:
        self.claims += 1
        now, token, dispatch = self.world.now, str(self.claims), self.jobs[n].dispatch - stale
        self.change(n, lambda job: leasing.claim(
            job, dispatch=dispatch, worker="w", token=token, now=now, lease=LEASE
        ))  # fmt: skip
        assert not (stale and self.holder(n) == token), "an old message claimed"

    @step
    def go_ahead(self, n: int, then: str) -> None:
        """What mostly happens: admitted, claimed, permitted, sent."""
        self.admit(n)
        self.claim(n, stale=False)
        before = len(self.world.calls)
        self.begin(n, mark=b"own", old=False, fenced=False)
        if len(self.world.calls) == before or then == "silence":
            return
        call = list(self.world.calls.values())[-1]
        if then == "refused":
            self.world.refuse(call, FailureKind.RATE, answered=True)
        elif then == "lied":
            self.world.lied = True
            self.world.arrive(call, answered=True)
            self.world.tell(Fact("not_created", call))
        else:
            self.world.arrive(call, then == "answered")
        self.tell(self.world.facts[-1])

    def holder(self, n: int) -> str | None:
        mover = self.jobs[n].mover
        return mover.token if isinstance(mover, Leased) else None

    @precondition(lambda self: any(isinstance(job.mover, Leased) for job in self.jobs))
    @step
    def heartbeat(self, n: int, progress: int | None, stage: Stage | None) -> None:
        job, now = self.jobs[n], self.world.now
        if not isinstance(job.mover, Leased):
            return
        self.change(n, lambda job: kept(job, now, LEASE))
        self.change(n, lambda job: leasing.report(job, stage, progress, now))

    @step
    def release(self, n: int, wait: float, fenced: bool) -> None:
        now, epoch = self.world.now, self.jobs[n].lease_epoch - fenced
        done = self.change(n, lambda job: leasing.release(job, epoch, seconds(wait), now))
        assert not (done and fenced)

    @step
    def expire(self, n: int) -> None:
        self.change(n, lambda job: leasing.expire(job, self.world.now))

    # Spending, and what becomes of it.

    @step
    def begin(self, n: int, mark: bytes, old: bool, fenced: bool) -> None:
        job, now = self.jobs[n], self.world.now
        token = job.attempts[-1].submit_token if old and job.attempts else f"{n}.{self.claims}"
        mark = mark if mark == b"same" else f"own {n}".encode()
        call = spending.Call(
            submit_token=token, account="a", fingerprint=mark, input=b"", seed=None,
            post_timeout=POST_TIMEOUT,
        )  # fmt: skip
        epoch = job.lease_epoch - (1 if fenced and not job.attempts else 0)
        twin = any(_in_doubt(a) and a.fingerprint == mark for j in self.jobs for a in j.attempts)
        if twin and job.by_token(token) is None:
            return  # the caller's gate (rpc.attempt_ledger) postpones it
        done = self.change(n, lambda job: spending.begin_submit(job, epoch, call, LIMITS, now))
        assert not done or epoch == job.lease_epoch, "a fenced worker got a permit"
        attempt = self.jobs[n].by_token(token)
        if attempt is not None and token not in self.world.calls:
            self.world.calls[token] = Call(n, token, attempt.send_by, attempt.cancel_after)

    @precondition(lambda self: self.open_calls())
    @step
    def send(self, pick: int, answered: bool, taken: bool, kind: FailureKind) -> None:
        call = _picked(self.open_calls(), pick)
        if taken:
            self.world.arrive(call, answered)
        else:
            self.world.refuse(call, kind, answered)
        if answered:
            self.tell(self.world.facts[-1])

    @precondition(lambda self: self.open_calls())
    @step
    def lose(self, pick: int, sent: bool) -> None:
        call = _picked(self.open_calls(), pick)
        call.sent = call.sent or sent
        call.over = not call.sent  # a worker that gave up sends nothing afterwards
        self.world.tell(Fact("unknown", call))

    def open_calls(self) -> list[Call]:
        return [c for c in self.world.calls.values() if c.may_arrive(self.world.now)]

    @step
    def provider_ends(self, n: int, how: str, ran: float | None, seen: bool) -> None:
        live = [run for run in self.world.predictions(n) if run.live(self.world.now)]
        if live:
            self.world.end(live[0], how, ran)
            if seen:
                self.tell(self.world.facts[-1])

    @precondition(lambda self: self.world.facts)
    @step
    def hear(self, pick: int, newest: bool) -> None:
        self.tell(self.world.facts[-1] if newest else _picked(self.world.facts, pick))

    def tell(self, fact: Fact) -> None:
        """A worker tells the store, now."""
        call, now, told = fact.call, self.world.now, failure(fact.kind)
        token, run = call.token, call.prediction
        if run is not None and fact.verb in ("succeeded", "ended"):
            name = run.name
            if self.jobs[call.job].by_prediction(name) is None:
                return  # only what was found is observed
        verbs: dict[str, Callable[[Job], Job]] = {
            "unknown": lambda job: recording.record_unknown(job, token, now),
            "not_created": lambda job: recording.record_not_created(job, token, told, now, 0.5),
        }
        if run is not None:
            ran, ended = run.ran, run.end or ""
            verbs["prediction"] = lambda job: recording.record_prediction(job, token, run.name, now)
            verbs["succeeded"] = lambda job: recording.record_succeeded(
                job, run.name, b"", ran, now
            )
            verbs["ended"] = lambda job: recording.record_ended(
                job, run.name, AttemptState(ended), told, ran, policy=POLICY, now=now, jitter=0.5
            )
        self.change(call.job, verbs[fact.verb])

    @step
    def another_job_of_ours_creates(self) -> None:
        self.world.others.append(self.world.now)

    @precondition(lambda self: any(isinstance(job.mover, Reconciling) for job in self.jobs))
    @step
    def scan(self, lag: float, blurred: bool, foreign: bool) -> None:
        """Twice, so that it may count."""
        for _ in range(2):
            self.pass_time(31)
            for n, job in enumerate(self.jobs):
                if job.current is not None and isinstance(job.mover, Reconciling):
                    self.weigh(n, job.current.submit_token, seconds(lag), blurred, foreign)

    def weigh(self, n: int, token: str, lag: timedelta, blurred: bool, foreign: bool) -> None:
        now, shown = self.world.now, self.world.evidence(token, lag, blurred, foreign)
        self.change(n, lambda job: reconciling.weigh(job, token, shown, now, GAP, 0.5))

    # Ends.

    @precondition(lambda self: any(_saving(job) for job in self.jobs))
    @step
    def save(self, stored: bool, fenced: bool) -> None:
        n = next(n for n, job in enumerate(self.jobs) if _saving(job))
        before, now = self.jobs[n], self.world.now
        epoch = before.lease_epoch - fenced
        if stored:
            done = self.change(n, lambda job: ending.complete(job, epoch, (), None, now))
        else:
            done = self.change(n, lambda job: ending.fail_saving(job, epoch, output_lost(), now))
        assert not (done and fenced) or before.final

    @step
    def cancel(self, n: int, wanted: bool) -> None:
        if wanted:
            self.change(n, lambda job: ending.cancel(job, self.world.now))

    @step
    def sweep(self, n: int) -> None:
        now = self.world.now
        self.change(n, lambda job: ending.note_deadline(job, now))
        self.change(n, lambda job: ending.give_up_waiting(job, now, SETTLE))
        self.change(n, lambda job: reconciling.expire_doubt(job, now))

    def teardown(self) -> None:
        """The sweepers alone end every job: by its deadline, the settle time, and the saving."""
        for n, job in enumerate(self.jobs):
            saved_by = [a.end_time for a in job.attempts if a.state is AttemptState.SUCCEEDED]
            moments = [self.world.now, job.deadline, job.deadline + 2 * SETTLE + seconds(60)]
            moments += [moment + seconds(3601) for moment in saved_by if moment]
            for self.world.now in sorted(moment for moment in moments if moment >= moments[0]):
                self.expire(n)
                self.sweep(n)
            assert self.jobs[n].final, "an acknowledged job did not end"
            for fact in self.world.facts:
                if fact.call.job == n:
                    self.tell(fact)
            self.world.now = moments[0]


def _picked(among: list[Any], pick: int) -> Any:
    return among[pick % len(among)]


def _in_doubt(attempt: Any) -> bool:
    doubted = (AttemptState.SUBMITTING, AttemptState.UNKNOWN, AttemptState.UNRESOLVED)
    return attempt.state in doubted and attempt.prediction_id is None


def _saving(job: Job) -> bool:
    return job.current is not None and job.current.state is AttemptState.SUCCEEDED


def test_every_promise_holds_in_every_order_of_events() -> None:
    """At most one live paid call, none after a success, and every acknowledged job ends."""
    hypothesis.stateful.run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Walk,
        settings=hypothesis.settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )


def test_long_walks_hold_too_and_reach_every_state_that_is_legal() -> None:
    """The same rules without a search: cheaper, so further. No state has an illegal mover."""
    dice = random.Random(22)
    for _ in range(1000):
        walk = Walk()
        for _ in range(60):
            name = dice.choice(list(STEPS))
            rules = {
                "send": walk.open_calls, "lose": walk.open_calls,
                "hear": lambda walk=walk: walk.world.facts,
                "save": lambda walk=walk: any(_saving(job) for job in walk.jobs),
            }  # fmt: skip
            if name in rules and not rules[name]():
                continue
            drawn = {argument: dice.choice(CHOICES[argument]) for argument in STEPS[name]}
            getattr(walk, name)(**drawn)
            walk.twins_are_never_both_in_doubt()
        walk.teardown()
    assert reached == LEGAL
    assert attempt_states == set(AttemptState) - {AttemptState.WRITTEN_OFF}
