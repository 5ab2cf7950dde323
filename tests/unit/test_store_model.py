"""Do the promises hold for every order of events? Random walks over the pure domain: store_walk."""

from __future__ import annotations

import random

import hypothesis

from store.domain.states import AttemptState

from .store_choices import CHOICES, STEPS
from .store_constraints import LEGAL, is_saving
from .store_walk import Walk, attempt_states, reached


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
                "webhook": lambda walk=walk: walk.world.calls,
                "decide_about_a_parked_job": lambda walk=walk: any(j.parked for j in walk.jobs),
                "save": lambda walk=walk: any(is_saving(job) for job in walk.jobs),
                "list_artifact": lambda walk=walk: any(is_saving(job) for job in walk.jobs),
            }  # fmt: skip
            if name in rules and not rules[name]():
                continue
            drawn = {argument: dice.choice(CHOICES[argument]) for argument in STEPS[name]}
            getattr(walk, name)(**drawn)
            walk.twins_are_never_both_in_doubt()
            walk.at_most_one_call_is_live()
        walk.teardown()
    assert reached == LEGAL
    assert attempt_states == set(AttemptState)
