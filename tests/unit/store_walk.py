"""Two jobs, a provider with its own truth (`store_world`), and everything that can happen to them.

Workers die, are fenced, lose answers, and tell facts late, twice and out of order; an operator
decides about what is parked or dead. Every step is held to `store_constraints`, and repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition

from store.domain import ending, leasing, operating, reconciling, recording, saving, spending
from store.domain.errors import JobError
from store.domain.failure import output_lost
from store.domain.job import Job, Leased, Reconciling
from store.domain.retries import RetryPolicy
from store.domain.states import OCCUPYING, AttemptState, FailureKind, Stage, State

from .store_choices import step
from .store_constraints import artifact, check_permit, check_step, in_doubt, is_saving, spends
from .store_world import (
    BEGIN,
    POST_TIMEOUT,
    SETTLE,
    Call,
    Fact,
    World,
    failure,
    kept,
    seconds,
    unsendable,
)

LIMITS = spending.Limits(SETTLE, seconds(600))
POLICY = RetryPolicy()
LEASE, GAP = seconds(30), seconds(30)
reached: set[tuple[State, type]] = set()
attempt_states: set[AttemptState] = set()


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
        self.written_off: set[str] = set()

    # What every step is held to.

    def change(self, n: int, verb: Callable[[Job], Any], *, again: bool = True) -> bool:
        """Applies *verb*; False if it was refused by an error."""
        old = self.jobs[n]
        try:
            new = self._job(verb(old))
        except JobError:
            return False
        check_step(old, new)
        if spends(old, new):
            self.may_spend(n, old)
        self.note_written_off(old, new)
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

    def note_written_off(self, old: Job, new: Job) -> None:
        """An operator accepts that these are paid for beside another, for as long as they are."""
        for a in new.attempts:
            if a.state is AttemptState.WRITTEN_OFF:
                self.written_off.add(a.submit_token)
            elif a.state in OCCUPYING:
                self.written_off.discard(a.submit_token)

    def may_spend(self, n: int, job: Job) -> None:
        """A permit only when each earlier call is definitely over, by the ledger and in truth."""
        now = self.world.now
        check_permit(job, now)
        calls = [c for c in self.world.calls.values() if c.job == n]
        earlier = [c for c in calls if c.token not in self.written_off]
        assert not any(call.may_arrive(now) for call in earlier), "two calls may be on their way"
        if self.world.lied:
            return
        runs = [c.prediction for c in earlier if c.prediction]
        assert not any(run.live(now) for run in runs), "two live calls"
        if self.world.worst_lag <= SETTLE:
            assert not any(run.end == "SUCCEEDED" for run in runs), "paid again after a success"

    @invariant()
    def at_most_one_call_is_live(self) -> None:
        """In truth, at any moment, beside what an operator wrote off."""
        if self.world.lied:
            return
        for n in range(len(self.jobs)):
            kept = [
                run for run in self.world.predictions(n) if run.call.token not in self.written_off
            ]
            assert sum(run.live(self.world.now) for run in kept) <= 1

    @invariant()
    def twins_are_never_both_in_doubt(self) -> None:
        """Unique index (c) of the attempts."""
        doubts = [a.fingerprint for job in self.jobs for a in job.attempts if in_doubt(a)]
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
    def heartbeat(self, n: int, progress: int | None, stage: Stage | None, log: str | None) -> None:
        job, now = self.jobs[n], self.world.now
        if not isinstance(job.mover, Leased):
            return
        self.change(n, lambda job: kept(job, now, LEASE))
        self.change(n, lambda job: leasing.report(job, stage, progress, log, now) or job)

    @step
    def release(self, n: int, wait: float, fenced: bool) -> None:
        now, epoch = self.world.now, self.jobs[n].lease_epoch - fenced
        done = self.change(n, lambda job: leasing.release(job, epoch, seconds(wait), now))
        assert not (done and fenced)

    @step
    def fail_unsent(self, n: int, fenced: bool) -> None:
        before, now = self.jobs[n], self.world.now
        epoch = before.lease_epoch - fenced
        done = self.change(n, lambda job: spending.fail_unsent(job, epoch, unsendable(), now))
        assert not (done and fenced) or before.final
        assert before.current is None or self.jobs[n].state is before.state

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
        twin = any(in_doubt(a) and a.fingerprint == mark for j in self.jobs for a in j.attempts)
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

    # An operator.

    @precondition(lambda self: any(job.parked for job in self.jobs))
    @step
    def decide_about_a_parked_job(self, again: bool) -> None:
        n, now = next(n for n, job in enumerate(self.jobs) if job.parked), self.world.now
        verb = operating.redrive_parked if again else operating.discard_parked
        self.change(n, lambda job: verb(job, now) if job.parked else job)

    @precondition(lambda self: any(job.dead_letter for job in self.jobs))
    @step
    def redrive_a_failed_job(self, n: int) -> None:
        """Made again as another job; this one's record says so."""
        anew = UUID(int=99)
        if self.jobs[n].dead_letter:
            self.change(
                n, lambda job: job if job.redriven_as else operating.redrive_failed(job, anew)
            )

    @precondition(lambda self: self.world.calls)
    @step
    def webhook(self, pick: int) -> None:
        """The provider names a call's prediction, whatever the ledger thinks of it by then."""
        call = _picked(list(self.world.calls.values()), pick)
        if call.prediction is not None:
            self.tell(Fact("prediction", call))

    # Ends.

    @precondition(lambda self: any(is_saving(job) for job in self.jobs))
    @step
    def save(self, stored: bool, fenced: bool) -> None:
        n = next(n for n, job in enumerate(self.jobs) if is_saving(job))
        before, now = self.jobs[n], self.world.now
        epoch = before.lease_epoch - fenced
        if stored:
            both = (artifact(0, epoch), artifact(1, epoch))
            done = self.change(n, lambda job: saving.complete(job, epoch, both, None, now))
            assert not done or [each.index for each in self.jobs[n].artifacts] == [0, 1]
        else:
            done = self.change(n, lambda job: saving.fail_saving(job, epoch, output_lost(), now))
        assert not (done and fenced) or before.final

    @precondition(lambda self: any(is_saving(job) for job in self.jobs))
    @step
    def list_artifact(self, index: int, fenced: bool) -> None:
        """One of the outputs is stored, by the worker that holds the job or by one that did."""
        n = next(n for n, job in enumerate(self.jobs) if is_saving(job))
        before, now = self.jobs[n], self.world.now
        epoch = before.lease_epoch - fenced
        stored = (artifact(index, epoch),)
        done = self.change(n, lambda job: saving.record_artifacts(job, epoch, stored, now))
        assert not (done and fenced), "a fenced worker listed an artifact"

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
