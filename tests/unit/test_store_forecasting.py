"""Are the store's estimates honest? What they say happens as often as they say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.domain.forecasting import LEAST_RUNS, Forecast, Outlook, Window
from store.domain.line import Busy, Line, Runs, last_call, play
from store.domain.rate import Pace, fresh, pace

from .queue_world import LAWS, Life, lives, recent

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NEVER = NOW + timedelta(days=30)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def rank_of(number: int) -> tuple[datetime, UUID]:
    return at(float(number)), UUID(int=number)


class Tally:
    """How often a time that was told was kept."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()

    def add(self, name: str, window: Window, true: datetime) -> None:
        for word, moment in (("p50", window.p50), ("p90", window.p90)):
            if moment is not None:
                self.told[f"{name} {word}"] += 1
                self.kept[f"{name} {word}"] += true <= moment

    def share(self, name: str) -> float:
        return self.kept[name] / self.told[name]


def look(
    world: list[Life], moment: float, slots: int, limit: float, runs: dict[str, Runs]
) -> tuple[Outlook, list[Life], list[Life]]:
    """What a store knows at *moment*, the jobs that wait then, and those that were taken."""
    waiting = [life for life in world if life.came <= moment < life.taken]
    busy = [life for life in world if life.taken <= moment < life.ended]
    callers = [life for life in busy if life.called > moment]
    last = max((life.called for life in world if life.called <= moment), default=-1e9)
    rate = None
    if limit:
        flow = limit / 60
        rate = Pace(flow, burst=1.0, tokens=min((moment - last) * flow, 1.0), held=0.0)
    ages = [None if life in callers else moment - life.called for life in busy]
    line = Line(
        slots=slots,
        busy=[Busy(runs[life.model], age) for life, age in zip(busy, ages, strict=True)],
        models=[runs[model] for model in LAWS],
        waiting=[list(LAWS).index(life.model) for life in waiting],
        pace=rate,
    )
    outlook = Outlook(
        as_of=at(moment),
        runs=runs,
        ranks=[rank_of(number) for number in range(len(waiting))],
        places=play(line, Random(4)),
        length=len(waiting),
        held=last_call(rate, len(callers)),
    )
    return outlook, waiting, busy


@pytest.mark.parametrize(
    ("slots", "load", "limit", "counted"),
    [(1, 1.1, 0.0, 100), (4, 1.1, 0.0, 100), (4, 1.1, 0.0, 7), (16, 1.2, 60.0, 100)],
)
def test_what_is_told_is_kept(slots: int, load: float, limit: float, counted: int) -> None:
    """p90 holds in at least 80 % of all cases, and p50 in 30 to 70 %, of starts and of ends.

    With one slot and with many, with few runs to go by, and where the account's rate is short.
    """
    tally, chance = Tally(), Random(f"{slots} {limit} {counted}")
    busy_for = sum(sum(recent(chance, model, 500)) / 500 for model in LAWS) / len(LAWS)
    arrivals = load * (min(slots / busy_for, limit / 60) if limit else slots / busy_for)
    for _ in range(60):
        world = lives(
            chance, slots=slots, arrivals_per_second=arrivals, creates_per_minute=limit, jobs=150
        )
        runs = {model: recent(chance, model, counted) for model in LAWS}
        moment = world[chance.randrange(60, 120)].came
        outlook, waiting, busy = look(world, moment, slots, limit, runs)
        for number, life in enumerate(waiting):
            told = outlook.waiting(life.model, rank_of(number), NEVER)
            assert told.jobs_ahead == number
            tally.add("start", told.start, at(life.taken))
            tally.add("end", told.end, at(life.ended))
        for life in busy:
            since = at(life.called) if life.called <= moment else None
            tally.add("running", outlook.running(life.model, since, NEVER).end, at(life.ended))
    shares = {name: round(tally.share(name), 2) for name in tally.told}
    for name in ("start", "end", "running"):
        assert shares[f"{name} p90"] >= 0.8, shares
        assert 0.3 <= shares[f"{name} p50"] <= 0.7, shares


RUNS = st.lists(st.floats(0.0, 1e5), max_size=12).map(sorted)
PACES = st.none() | st.builds(
    Pace,
    flow=st.floats(0.01, 50.0),
    burst=st.floats(1.0, 20.0),
    tokens=st.floats(0.0, 20.0),
    held=st.floats(0.0, 60.0),
)


@st.composite
def outlooks(draw: st.DrawFn) -> Outlook:
    """Any line, with models of which much, little or nothing is known."""
    models = draw(st.lists(RUNS, min_size=1, max_size=3))
    drawn_from = [each or [1.0] for each in models]
    waiting = draw(st.lists(st.integers(0, len(models) - 1), max_size=8))
    busy = st.builds(Busy, st.sampled_from(drawn_from), st.none() | st.floats(0.0, 1e6))
    line = Line(
        slots=draw(st.integers(0, 5)),
        busy=draw(st.lists(busy, max_size=6)),
        models=drawn_from,
        waiting=waiting,
        pace=draw(PACES),
    )
    longer = draw(st.integers(0, 50))
    return Outlook(
        as_of=NOW,
        runs={str(number): tuple(each) for number, each in enumerate(models)},
        ranks=[rank_of(number) for number in range(len(waiting))],
        places=play(line, Random(4)),
        length=len(waiting) + longer,
        last_rank_time=at(len(waiting) + longer) if longer else None,
        held=last_call(line.pace, draw(st.integers(0, 5))),
    )


def in_order(told: Forecast) -> None:
    """as_of, then p50, then p90; the start before the end; nothing from too little."""
    for window in (told.start, told.end):
        if window.p90 is not None:
            assert window.p50 is not None
            assert window.p50 <= window.p90
        if window.p50 is not None:
            assert told.as_of <= window.p50
            assert told.runs_counted >= LEAST_RUNS
    for start, end in ((told.start.p50, told.end.p50), (told.start.p90, told.end.p90)):
        assert start is None or (end is not None and start <= end)


DEADLINES = st.floats(-10.0, 1e7).map(at)


@settings(deadline=None)
@given(outlooks(), st.lists(st.integers(-1, 80), min_size=2, max_size=6), DEADLINES)
def test_a_later_place_is_never_told_to_be_sooner(
    outlook: Outlook, numbers: list[int], deadline: datetime
) -> None:
    """In the order of the line, jobs_ahead and the times of one model never go back."""
    numbers = sorted(max(number, 0) for number in numbers)
    told = [outlook.waiting("0", rank_of(number), deadline) for number in numbers]
    for each in told:
        in_order(each)
    for sooner, later in pairwise(told):
        assert sooner.jobs_ahead is not None
        assert later.jobs_ahead is not None
        assert sooner.jobs_ahead <= later.jobs_ahead
        for one, two in ((sooner.start, later.start), (sooner.end, later.end)):
            assert one.p50 is None or two.p50 is None or one.p50 <= two.p50


@settings(deadline=None)
@given(outlooks(), st.integers(0, 10), DEADLINES, st.floats(0.1, 1e4))
def test_a_retry_has_no_place_until_its_time(
    outlook: Outlook, number: int, deadline: datetime, due: float
) -> None:
    """It is not told to be taken before it is due."""
    told = outlook.retrying("0", rank_of(number), deadline, at(due))
    in_order(told)
    assert told.jobs_ahead is None
    assert told.start.p50 is None or told.start.p50 >= at(due)


@settings(deadline=None)
@given(outlooks(), st.none() | st.floats(-5.0, 2e5), DEADLINES)
def test_a_running_job_is_only_told_its_end(
    outlook: Outlook, age: float | None, deadline: datetime
) -> None:
    """Nothing is told of when it is taken, nor of an end that is past."""
    told = outlook.running("0", None if age is None else at(-age), deadline)
    in_order(told)
    assert told.jobs_ahead is None
    assert told.start == Window()


def certain(**line: object) -> Outlook:
    """A model that always takes ten seconds, and a line."""
    made = Line(slots=1, models=[(10.0,) * 9], **line)  # type: ignore[arg-type]
    ranks = [rank_of(number) for number in range(len(made.waiting))]
    return Outlook(
        as_of=NOW, runs={"m": (10.0,) * 9}, ranks=ranks, places=play(made, Random(4)),
        length=len(ranks),
    )  # fmt: skip


def test_work_ahead_is_counted() -> None:
    """One slot, a job that has run for four seconds, and one ahead: six seconds and ten."""
    outlook = certain(busy=[Busy((10.0,) * 9, 4.0)], waiting=[0, 0])
    told = outlook.waiting("m", rank_of(1), NEVER)
    assert told.start.p50 is not None
    assert 16.0 <= (told.start.p50 - NOW).total_seconds() <= 16.2


def test_a_run_older_than_all_others_is_told_no_end() -> None:
    """What it will take can not be said from shorter ones."""
    assert certain().running("m", at(-11.0), NEVER).end == Window()
    assert certain().running("m", at(-9.0), NEVER).end.p50 == at(1.0)


def test_nothing_is_told_beyond_the_deadline() -> None:
    """A job that would be taken after its deadline is not taken, and ends at it."""
    outlook = certain(busy=[Busy((10.0,) * 9, 0.0)], waiting=[0])
    told = outlook.waiting("m", rank_of(0), at(8.0))
    assert told.start == Window()
    assert told.end == Window(at(8.0), at(8.0))


def test_without_workers_no_start_is_told() -> None:
    """How many are ahead is known all the same."""
    outlook = Outlook(as_of=NOW, runs={"m": (10.0,) * 9}, ranks=[rank_of(0)], length=1)
    told = outlook.waiting("m", rank_of(1), NEVER)
    assert (told.jobs_ahead, told.start, told.end) == (1, Window(), Window())
    assert told.runs_counted == 9


def test_behind_the_known_part_of_the_line_a_place_is_interpolated() -> None:
    """Ten are known of a line of thirty: half way to its end there are twenty ahead."""
    known = [rank_of(number) for number in range(10)]
    outlook = Outlook(as_of=NOW, ranks=known, length=30, last_rank_time=at(29.0))
    ahead = [outlook.waiting("m", rank_of(number), NEVER).jobs_ahead for number in (9, 19, 99)]
    assert ahead == [9, 20, 30]


def test_the_rate_is_what_is_left_of_the_accounts() -> None:
    """Sixty a minute, one at once: the third call of three is made after two seconds."""
    bucket = fresh(60.0, NOW)
    assert last_call(pace(bucket, 60.0, NOW), 3) == pytest.approx(2.0)
    assert pace(bucket, 0.0, NOW) is None
