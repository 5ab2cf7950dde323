"""What becomes of a prediction is a pure function of its plan and the time."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from simulator.predictions import NEVER, TERMINAL, Plan, ends_at, observe

CREATED = 1_795_000_000.0
ORDER = {"starting": 0, "processing": 1} | dict.fromkeys(TERMINAL, 2)

durations = st.one_of(st.just(0.0), st.just(NEVER), st.floats(0.001, 5000))
moments = st.floats(-10, 10_000).map(lambda seconds: CREATED + seconds)
plans = st.builds(
    Plan,
    created_at=st.just(CREATED),
    queue=durations,
    run=durations,
    ending=st.sampled_from(["succeeded", "failed", "canceled", "aborted"]),
    starts=st.booleans(),
    deadline=st.none() | st.floats(5, 9000).map(lambda seconds: CREATED + seconds),
)


@given(plans, st.lists(moments, min_size=2, max_size=20))
def test_a_status_only_moves_forward(plan: Plan, times: list[float]) -> None:
    """Later reads never show an earlier status, and a terminal one never changes again."""
    seen = [observe(plan, now) for now in sorted(times)]
    ranks = [ORDER[moment.status] for moment in seen]
    assert ranks == sorted(ranks)
    assert len({moment.status for moment in seen if moment.terminal}) <= 1
    assert len({moment.completed_at for moment in seen if moment.terminal}) <= 1
    shares = [moment.done for moment in seen]
    assert shares == sorted(shares)


@given(plans, moments, st.lists(moments, min_size=1, max_size=10))
def test_a_cancel_changes_nothing_that_was_already_seen(
    plan: Plan, canceled_at: float, times: list[float]
) -> None:
    """Reads before the cancel agree with the plan without it; from it on the end is fixed."""
    canceled_at = max(canceled_at, CREATED)
    canceled = replace(plan, canceled_at=canceled_at)
    for now in times:
        if now < canceled_at:
            assert observe(canceled, now) == observe(plan, now)
        else:
            assert observe(canceled, now).terminal


@given(plans, moments)
def test_what_a_moment_shows_fits_its_status(plan: Plan, now: float) -> None:
    """Processing has started; aborted never did; times are in order; only an end is complete."""
    moment = observe(plan, now)
    assert (moment.completed_at is not None) == moment.terminal
    if moment.status == "starting":
        assert moment.started_at is None
    if moment.status == "processing":
        assert moment.started_at is not None
    if moment.started_at is not None and moment.completed_at is not None:
        assert CREATED <= moment.started_at <= moment.completed_at


def test_a_deadline_before_the_start_aborts_and_after_it_cancels() -> None:
    """Cancel-After: aborted (free) while queued, canceled (billed) while running."""
    queued = Plan(CREATED, queue=10, run=10, deadline=CREATED + 5)
    assert observe(queued, CREATED + 6).status == "aborted"
    assert observe(queued, CREATED + 6).started_at is None
    running = Plan(CREATED, queue=10, run=10, deadline=CREATED + 15)
    assert observe(running, CREATED + 16).status == "canceled"
    assert observe(running, CREATED + 16).started_at == CREATED + 10


def test_a_cancel_after_the_end_has_no_effect() -> None:
    """The earliest end wins."""
    plan = Plan(CREATED, queue=1, run=1, canceled_at=CREATED + 2.5)
    assert ends_at(plan).status == "succeeded"


def test_data_goes_one_hour_after_the_end() -> None:
    """Retention counts from completion."""
    plan = Plan(CREATED, queue=1, run=1)
    assert not observe(plan, CREATED + 3601.9).data_removed
    assert observe(plan, CREATED + 3602).data_removed
