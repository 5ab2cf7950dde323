"""What our own tools ask for is what the models take: inputs are checked, unknown ones refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench.requests import MODEL, submit_document
from simulator.inputs import check_input, find_model
from simulator.shelf import Shelf
from soak.orders import later_call, orders
from soak.scale import SHORT
from tests.e2e.hostile_cases import CASES, Case


def wrong_with(model: str, prompt: str, given: Mapping[str, Any]) -> list[str]:
    found = find_model(Shelf(), model)
    assert found, model
    wrong = check_input(found[0], {"prompt": prompt, **given}, refuse_unknown=True)
    return [each.as_line() for each in wrong]


def test_what_a_benchmark_asks_for_is_taken() -> None:
    """The rates count jobs, not refusals."""
    document: dict[str, Any] = submit_document()
    assert wrong_with(MODEL, document["prompt"], document["input"]) == []


def test_what_a_soak_asks_for_is_taken() -> None:
    """Whatever it draws."""
    for order in (*orders(SHORT, "1"), later_call(1)):
        assert wrong_with(order.model, order.prompt, order.input) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_what_a_case_of_a_hostile_provider_asks_for_is_taken(case: Case) -> None:
    """What is wrong there is the provider, never the request."""
    assert wrong_with(case.model, "x", {"megapixels": "0.25", **case.input}) == []
