"""The account's rate: never above the limit, lowered by a 429, back by itself, the same for all."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.limits import Bucket as ProvidersBucket
from store.domain import rate
from store.domain.rate import Bucket

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMIT = 600.0
limits = st.sampled_from([1.0, 6.0, 30.0, 60.0, 90.0, 600.0, 6000.0])


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def after_429(
    bucket: Bucket, limit: float, now: datetime, retry_after: float | None = None
) -> Bucket:
    """The bucket after the 429 of a call that was permitted a moment ago."""
    told = None if retry_after is None else timedelta(seconds=retry_after)
    return rate.throttled(bucket, limit, told, now, now)


def most_within(times: list[float], seconds: float) -> int:
    """The most of *times* that lie in one window of that length, its end not included."""
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= seconds - 1e-4:
            first += 1
        most = max(most, last - first + 1)
    return most


@dataclass
class Line:
    """Workers that have nothing but jobs, and come back when they are told, a little late."""

    limit: float
    late: dict[str, float]  #: by worker, on average
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    taken: list[tuple[float, str]] = field(default_factory=list)
    asked: int = 0

    def run(self, seconds: float) -> None:
        bucket = rate.fresh(self.limit, START)
        coming = [(self._late(worker), worker) for worker in self.late]
        heapq.heapify(coming)
        while coming[0][0] < seconds:
            now, worker = heapq.heappop(coming)
            bucket, wait = rate.take(bucket, self.limit, worker, at(now))
            self.asked += 1
            if not wait:
                self.taken.append((now, worker))
            heapq.heappush(coming, (now + wait.total_seconds() + self._late(worker), worker))

    def _late(self, worker: str) -> float:
        return self.chance.uniform(0.2, 1.8) * self.late[worker]

    def shares(self) -> Counter[str]:
        return Counter(worker for _, worker in self.taken)


steps = st.lists(
    st.tuples(
        st.floats(0, 3) | st.floats(0, 120),  # real seconds that pass
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),  # whether the call is answered with 429
        st.sampled_from([0.0] * 8 + [-3600.0, -0.5, 0.5, 3600.0]),  # the clock is set
    ),
    max_size=60,
)


@given(limits, steps)
def test_no_minute_has_more_than_the_limit(
    limit: float, asked: list[tuple[float, str, bool, float]]
) -> None:
    """Whoever asks, whenever, whatever the provider says, and however the clock is set back.

    A clock that is set forward makes seconds that were not: a burst is what that can cost."""
    bucket, real, off = rate.fresh(limit, START), 0.0, 0.0
    taken: list[float] = []
    leaps = 0
    for passed, worker, refused, jump in asked:
        real, off = real + passed, off + jump
        leaps += jump > 0
        now = at(real + off)
        bucket, wait = rate.take(bucket, limit, worker, now)
        if not wait:
            taken.append(real)
            if refused:
                bucket = after_429(bucket, limit, now)
    burst = max(1.0, limit * rate.BURST_SECONDS / 60)
    for seconds in (1.0, 10.0, 60.0):
        allowed = burst + (limit - burst + 1) / 60 * seconds - 1
        assert most_within(taken, seconds) <= math.ceil(allowed + 1e-6) + leaps * burst
    assert most_within(taken, 60.0) <= max(1, limit) + leaps * burst


@given(limits, st.floats(0, 100), st.lists(st.floats(0, 2), max_size=60))
def test_nothing_before_the_hold_is_over_and_then_one_at_a_time(
    limit: float, retry_after: float, asked: list[float]
) -> None:
    """The provider said when; from then on at most half of the rate, without a burst."""
    bucket = after_429(rate.fresh(limit, START), limit, START, retry_after)
    assert bucket.hold_until == at(min(retry_after, rate.LONGEST_HOLD.total_seconds()))
    lowered, now = rate.current(bucket, limit, START), 0.0
    taken = []
    for passed in asked:
        now += passed
        bucket, wait = rate.take(bucket, limit, "a", at(now))
        if not wait:
            taken.append(now)
    assert lowered == max(limit / 2, min(rate.FLOOR, limit))
    assert all(at(moment) >= bucket.hold_until for moment in taken if bucket.hold_until)
    steady = [t for t in taken if t < min(retry_after, 60) + rate.STEADY.total_seconds()]
    assert all(b - a >= 60 / lowered - 1e-3 for a, b in itertools.pairwise(steady))


@given(limits, st.lists(st.tuples(st.floats(0, 90), st.floats(0, 90)), min_size=1, max_size=20))
def test_the_full_limit_is_back_in_bounded_time(
    limit: float, throttles: list[tuple[float, float]]
) -> None:
    """However often it was throttled: hold, 20 s, and 20 s for each halving down to the floor."""
    bucket, now = rate.fresh(limit, START), 0.0
    for passed, retry_after in throttles:
        now += passed
        bucket = after_429(bucket, limit, at(now), retry_after)
        assert rate.current(bucket, limit, at(now)) >= min(rate.FLOOR, limit)
    halvings = max(0.0, math.log2(limit / rate.FLOOR))
    bound = rate.LONGEST_HOLD + rate.STEADY + rate.DOUBLING * halvings
    back = at(now) + bound + timedelta(seconds=1)
    assert rate.current(bucket, limit, back) == limit
    bucket, wait = rate.take(bucket, limit, "a", back)
    assert (wait, bucket.rate) == (timedelta(), None)


def test_one_429_costs_forty_seconds_and_the_way_back_is_steady() -> None:
    """Half at once; 20 s as it is; then it grows, and is never lower than before."""
    bucket = after_429(rate.fresh(LIMIT, START), LIMIT, START, 0)
    seen = [rate.current(bucket, LIMIT, at(seconds)) for seconds in range(60)]
    assert seen[:21] == [300.0] * 21
    assert seen == sorted(seen)
    assert 400 < seen[30] < 450
    assert seen[40:] == [600.0] * 20


@given(st.lists(st.floats(0, 5), min_size=1, max_size=20))
def test_calls_that_were_under_way_together_lower_the_rate_once(answers: list[float]) -> None:
    """All were permitted before the first was refused; the longest wait of them counts."""
    bucket = rate.fresh(LIMIT, START)
    for number, seconds in enumerate(sorted(answers)):
        wait = timedelta(seconds=number)
        bucket = rate.throttled(bucket, LIMIT, wait, START, at(seconds))
    assert bucket.rate == LIMIT / 2
    last = len(answers) - 1
    assert bucket.hold_until == at(max(s + n for n, s in enumerate(sorted(answers))))
    assert bucket.hold_until >= at(last)
    again = rate.throttled(bucket, LIMIT, None, at(6), at(6.1))
    assert again.rate == LIMIT / 4


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_the_rate_is_used_and_no_worker_starves(workers: int) -> None:
    """One is five times as late as the others, and gets about as much; two calls a create."""
    late = {f"w{number}": 0.01 for number in range(workers)} | {"w0": 0.05}
    line = Line(LIMIT, late)
    line.run(120)
    assert len(line.taken) >= 0.98 * 2 * LIMIT
    assert most_within([moment for moment, _ in line.taken], 60) <= LIMIT
    shares = line.shares()
    assert min(shares.values()) >= 0.85 * len(line.taken) / workers
    assert line.asked <= 2.1 * len(line.taken)


def test_a_worker_that_was_told_to_wait_and_died_holds_the_others_up_for_seconds() -> None:
    """Even where one may go at a time: its turn passes."""
    bucket = after_429(rate.fresh(LIMIT, START), LIMIT, START, 0)
    bucket, wait = rate.take(bucket, LIMIT, "dies", START)
    bucket, second = rate.take(bucket, LIMIT, "waits", START)
    assert second > wait
    turn = at(second.total_seconds())
    bucket, again = rate.take(bucket, LIMIT, "waits", turn)
    assert again > timedelta()
    bucket, again = rate.take(bucket, LIMIT, "waits", at(wait.total_seconds()) + rate.LATE)
    assert again == timedelta()
    assert bucket.line == ()


def test_tokens_that_nobody_else_waits_for_are_taken_past_a_late_worker() -> None:
    """Where several may go at once, nobody waits for one who is late."""
    bucket, moment = rate.fresh(LIMIT, START), START
    wait = timedelta()
    while not wait:
        bucket, wait = rate.take(bucket, LIMIT, "late", moment)
    bucket, wait = rate.take(bucket, LIMIT, "in time", moment)
    bucket, wait = rate.take(bucket, LIMIT, "in time", moment + wait)
    assert wait == timedelta()
    assert [place.worker for place in bucket.line] == ["late"]


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    """What was promised for a future that is far away again is void."""
    bucket = after_429(rate.fresh(LIMIT, START), LIMIT, START, 60)
    for worker in ("dies", "lives"):
        bucket, _ = rate.take(bucket, LIMIT, worker, START)
    now = START - timedelta(hours=5)
    for _ in range(3):
        bucket, wait = rate.take(bucket, LIMIT, "lives", now)
        assert wait <= rate.LONGEST_HOLD + timedelta(seconds=1)
        now += wait
    assert rate.current(bucket, LIMIT, now + timedelta(minutes=3)) == LIMIT


def test_without_a_limit_there_is_nothing_to_lower() -> None:
    assert rate.current(rate.fresh(0, START), 0, START) == 0


def test_a_smaller_limit_holds_at_once() -> None:
    """What had gathered under a larger one is not spent."""
    bucket = rate.fresh(6000, START)
    bucket, wait = rate.take(bucket, 6, "a", START)
    assert wait == timedelta()
    bucket, wait = rate.take(bucket, 6, "a", START)
    assert wait >= timedelta(seconds=10)


@pytest.mark.parametrize("workers", [1, 3])
def test_an_account_with_little_credit_is_found_out_and_used(workers: int) -> None:
    """The provider lets 6 a minute through, one at a time, and we are set to 600: after a few
    minutes of finding out, it is asked little more often than it answers."""
    provider = ProvidersBucket(6, 1)
    bucket = rate.fresh(LIMIT, START)
    coming = [(0.01 * number, f"w{number}") for number in range(workers)]
    made, refused = 0, 0
    while coming[0][0] < 1800:
        now, worker = heapq.heappop(coming)
        bucket, wait = rate.take(bucket, LIMIT, worker, at(now))
        if not wait:
            answer = now + 0.1
            if provider.take(answer):
                made += now > 300
            else:
                refused += now > 300
                told = timedelta(seconds=math.ceil(provider.wait()))
                bucket = rate.throttled(bucket, LIMIT, told, at(now), at(answer))
        heapq.heappush(coming, (now + wait.total_seconds() + 0.02, worker))
    assert made >= 0.75 * 6 * 25
    assert refused <= made / 2
