"""What becomes of a webhook delivery: the schedule, the claims, the pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store.domain.deliveries import (
    CLAIM,
    FAILING_LONG,
    FAILING_OFTEN,
    HORIZON,
    LAST_CHANCE,
    POST_TIMEOUT,
    SCHEDULE,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Outcome,
    Post,
    claim,
    pause,
    record,
    redeliver,
    resume,
    retry_delay,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TAKEN = Post(outcome=Outcome.TAKEN, status_code=200)
REFUSED = Post(outcome=Outcome.STATUS, status_code=500)
FAILURES = [each for each in Outcome if each not in (Outcome.TAKEN, Outcome.NOT_SENT)]
jitters = st.floats(0, 1, exclude_max=True)


def made(now: datetime = NOW) -> Delivery:
    """A delivery as the numberer makes it."""
    return Delivery(
        state=DeliveryState.PENDING, expire_time=now + HORIZON, dispatch=1, due=now,
        available_at=now,
    )  # fmt: skip


def claimed(delivery: Delivery, token: str = "t", now: datetime = NOW) -> Delivery:
    """The delivery in somebody's hands."""
    taken = claim(delivery, Endpoint(), delivery.dispatch, token, now)
    assert taken is not None
    return taken


def posted(
    delivery: Delivery, post: Post, now: datetime, *, posts: int = 0, jitter: float = 0.0,
    endpoint: Endpoint | None = None,
) -> tuple[Delivery, Endpoint]:  # fmt: skip
    """What a claim and its outcome make of both."""
    endpoint = endpoint or Endpoint()
    both = record(claimed(delivery, "t", now), endpoint, "t", post, posts, jitter, now)
    assert both is not None
    return both


@pytest.mark.parametrize("jitter", [0.0, 0.999])
def test_a_delivery_that_is_never_taken_is_posted_for_three_days(jitter: float) -> None:
    """About a dozen times, the last one a minute before it is given up."""
    delivery, now, times = made(), NOW, [NOW]
    for posts in range(30):
        delivery, _ = posted(delivery, REFUSED, now, posts=posts, jitter=jitter)
        if delivery.state is DeliveryState.FAILED:
            break
        assert delivery.due is not None
        now = delivery.due
        times.append(now)
    assert delivery.state is DeliveryState.FAILED
    assert 12 <= len(times) <= 16
    assert times[-1] == NOW + HORIZON - LAST_CHANCE
    assert delivery.end_time == times[-1]
    assert timedelta(hours=14) < sum(SCHEDULE[:-1], timedelta()) < timedelta(hours=17)


@given(st.integers(1, 200), jitters)
def test_jitter_only_makes_a_wait_longer_and_by_a_tenth_at_most(posts: int, jitter: float) -> None:
    """So that a wait always fits the retry queue of its step."""
    step = SCHEDULE[min(posts, len(SCHEDULE)) - 1]
    assert step <= retry_delay(posts, None, jitter) <= step * 1.1


@given(st.integers(1, 20), jitters, st.timedeltas(timedelta(), timedelta(days=9)))
def test_an_endpoint_may_ask_for_a_longer_wait_within_the_three_days(
    posts: int, jitter: float, asked: timedelta
) -> None:
    """Never for a shorter one, and never beyond the last chance."""
    post = replace(REFUSED, retry_after=asked)
    after, _ = posted(made(), post, NOW, posts=posts - 1, jitter=jitter)
    wanted = NOW + max(asked, SCHEDULE[min(posts, len(SCHEDULE)) - 1])
    assert after.due is not None
    assert after.due >= min(wanted, NOW + HORIZON - LAST_CHANCE)
    assert after.due <= NOW + HORIZON - LAST_CHANCE


def test_a_claim_lasts_longer_than_a_post_and_then_it_is_published_again() -> None:
    """Whoever dies with it loses it, and nobody has to notice."""
    taken = claimed(made())
    assert taken.claim_until == taken.available_at == NOW + CLAIM
    assert POST_TIMEOUT + timedelta(seconds=15) < CLAIM
    assert claim(taken, Endpoint(), 1, "other", NOW + CLAIM / 2) is None
    assert claim(taken, Endpoint(), 1, "t", NOW + CLAIM / 2) == taken
    again = claim(taken, Endpoint(), 1, "other", NOW + CLAIM)
    assert again is not None and again.claim_token == "other"


def test_what_is_late_doubled_over_or_paused_is_not_handed_out() -> None:
    """Such a message finds nothing."""
    over, _ = posted(made(), TAKEN, NOW)
    again, _ = posted(made(), REFUSED, NOW)
    paused = pause(Endpoint(), "why")
    assert claim(made(), Endpoint(), 2, "t", NOW) is None
    assert claim(over, Endpoint(), 1, "t", NOW) is None
    assert claim(again, Endpoint(), 1, "t", NOW) is None
    assert claim(made(), paused, 1, "t", NOW) is None
    assert claim(made(), Endpoint(), 1, "t", NOW + HORIZON) is None


def test_an_outcome_counts_once_and_only_from_who_holds_the_claim() -> None:
    """A report that is repeated, or comes after another has taken over, changes nothing."""
    taken = claimed(made())
    assert record(taken, Endpoint(), "other", TAKEN, 0, 0.0, NOW) is None
    first = record(taken, Endpoint(), "t", REFUSED, 0, 0.0, NOW)
    assert first is not None
    assert record(first[0], first[1], "t", REFUSED, 0, 0.0, NOW) is None


def test_what_was_not_sent_does_not_count() -> None:
    """It is published again at once, or when the notifier has room for it; as the same dispatch."""
    failing = Endpoint(failures=3, failing_since=NOW)
    pause = timedelta(seconds=7)
    for said, moment in ((None, NOW), (pause, NOW + pause)):
        post = Post(outcome=Outcome.NOT_SENT, retry_after=said)
        after, endpoint = posted(made(), post, NOW, endpoint=failing)
        assert (after.attempts, after.dispatch, after.available_at) == (0, 1, moment)
        assert endpoint == failing


def test_one_that_is_taken_makes_the_endpoint_well() -> None:
    """However often it failed before."""
    failing = Endpoint(failures=30, failing_since=NOW - FAILING_LONG * 2)
    after, endpoint = posted(made(), TAKEN, NOW, endpoint=failing)
    assert after.state is DeliveryState.DELIVERED
    assert (after.end_time, after.available_at, after.due) == (NOW, None, None)
    assert endpoint == Endpoint()


def test_gone_pauses_at_once() -> None:
    """410 says that it will never want one again."""
    gone = Post(outcome=Outcome.STATUS, status_code=410)
    after, endpoint = posted(made(), gone, NOW)
    assert endpoint.paused and "410" in endpoint.pause_reason
    assert after.state is DeliveryState.PENDING
    assert after.available_at is None and after.due is not None


@pytest.mark.parametrize("outcome", FAILURES)
@pytest.mark.parametrize(
    ("failures", "since", "paused"),
    [
        (FAILING_OFTEN - 1, FAILING_LONG, True),
        (FAILING_OFTEN - 2, FAILING_LONG, False),
        (FAILING_OFTEN * 9, FAILING_LONG - timedelta(seconds=1), False),
        (0, timedelta(), False),
    ],
)
def test_a_day_of_nothing_but_failures_pauses(
    outcome: Outcome, failures: int, since: timedelta, paused: bool
) -> None:
    """Ten of them at least: one event a day must not pause its endpoint by one bad post."""
    before = Endpoint(failures=failures, failing_since=NOW - since if failures else None)
    _, after = posted(made(), Post(outcome=outcome), NOW, endpoint=before)
    assert after.paused is paused
    assert bool(after.pause_reason) is paused
    assert after.failures == failures + 1


def test_a_pause_keeps_its_reason_and_a_resume_forgets_it() -> None:
    """Pausing or resuming again changes nothing."""
    paused = pause(Endpoint(failures=2, failing_since=NOW), "first")
    assert pause(paused, "second") == paused
    assert resume(paused) == Endpoint()
    failing = Endpoint(failures=2, failing_since=NOW)
    assert resume(failing) == failing


def test_redelivering_begins_three_days_anew() -> None:
    """Under a new dispatch, so that messages about the old one find nothing."""
    later = NOW + timedelta(days=9)
    over, _ = posted(made(), TAKEN, NOW)
    again = redeliver(over, later)
    assert (again.state, again.dispatch) == (DeliveryState.PENDING, 2)
    assert (again.due, again.available_at) == (later, later)
    assert (again.expire_time, again.end_time) == (later + HORIZON, None)
    assert again.attempts == 1


def test_redelivering_what_is_being_posted_leaves_that_post_alone() -> None:
    """It is posted at once already; two at once would help nobody."""
    taken = claimed(made())
    later = NOW + timedelta(seconds=1)
    assert redeliver(taken, later) == replace(taken, expire_time=later + HORIZON)


class Life(RuleBasedStateMachine):
    """Any order of claims, outcomes, pauses, redeliveries and time."""

    @initialize()
    def make(self) -> None:
        self.now, self.delivery, self.endpoint = NOW, made(), Endpoint()
        self.token, self.tokens, self.counted = "", 0, 0

    @rule(seconds=st.sampled_from([0.0, 1.0, 60.0, 3600.0, 100_000.0]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(late=st.booleans())
    def take(self, late: bool) -> None:
        self.tokens += 1
        token, dispatch = f"t{self.tokens}", self.delivery.dispatch - late
        taken = claim(self.delivery, self.endpoint, dispatch, token, self.now)
        if taken is not None:
            assert not late and not self.endpoint.paused
            assert not self.delivery.claimed(self.now)
            self.delivery, self.token = taken, token

    @rule(outcome=st.sampled_from(list(Outcome)), jitter=jitters, own=st.booleans())
    def tell(self, outcome: Outcome, jitter: float, own: bool) -> None:
        token = self.token if own else "nobody's"
        post, count = Post(outcome=outcome), self.delivery.attempts
        both = record(self.delivery, self.endpoint, token, post, count, jitter, self.now)
        if both is None:
            return
        assert own
        self.counted += outcome is not Outcome.NOT_SENT
        self.delivery, self.endpoint = both

    @rule()
    def stop(self) -> None:
        self.endpoint = pause(self.endpoint, "by its owner")
        self.delivery = replace(self.delivery, available_at=None)

    @rule()
    def go_on(self) -> None:
        if self.endpoint.paused and self.delivery.state is DeliveryState.PENDING:
            self.delivery = replace(self.delivery, available_at=self.now)
        self.endpoint = resume(self.endpoint)

    @rule()
    def again(self) -> None:
        if not self.endpoint.paused:
            self.delivery = redeliver(self.delivery, self.now)

    @invariant()
    def whole(self) -> None:
        """The CHECK constraints of webhook_tables, restated; and none is ever forgotten."""
        if not hasattr(self, "delivery"):
            return
        delivery, endpoint = self.delivery, self.endpoint
        pending = delivery.state is DeliveryState.PENDING
        assert pending == (delivery.end_time is None)
        assert pending or delivery.available_at is None
        assert (delivery.claim_token is None) == (delivery.claim_until is None)
        assert (endpoint.failures == 0) == (endpoint.failing_since is None)
        assert endpoint.paused == (endpoint.state is EndpointState.PAUSED)
        assert endpoint.paused == bool(endpoint.pause_reason)
        assert not pending or endpoint.paused or delivery.available_at is not None
        assert delivery.attempts == self.counted


TestLife = Life.TestCase
