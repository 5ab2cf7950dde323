"""Faults are read strictly and taken deterministically."""

import pytest

from simulator.fault_kinds import KINDS
from simulator.faults import FaultError, Faults, rule_from_json, rule_from_text


def test_names_are_unique_and_said_in_words() -> None:
    """The table is what --help and GET /_simulator/faults print."""
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.does for kind in KINDS)
    assert all(kind.argument for kind in KINDS if kind.default)


def test_the_command_lines_form_is_read_in_full() -> None:
    """NAME[@OPERATION][=ARG][:COUNT|:PROBABILITY]"""
    rule = rule_from_text("429_with_retry_after@get=3:2")
    assert (rule.kind.name, rule.on, rule.arg, rule.count) == (
        "429_with_retry_after",
        "get",
        "3",
        2,
    )
    rule = rule_from_text("fail=CUDA out of memory:0.25")
    assert (rule.arg, rule.count, rule.probability) == ("CUDA out of memory", None, 0.25)
    rule = rule_from_text("redirect_foreign_host=http://127.0.0.1:9/x:1")
    assert (rule.arg, rule.count) == ("http://127.0.0.1:9/x", 1)
    assert rule_from_text("early_404").arg == "1000"


@pytest.mark.parametrize("text", ["", "nonsense", "500@nowhere", "early_404=soon", "500:many"])
def test_what_cannot_be_read_is_refused_with_a_reason(text: str) -> None:
    """A misspelt fault must not pass as no fault."""
    with pytest.raises(FaultError, match=r"."):
        rule_from_text(text)


def test_unknown_keys_are_refused_at_run_time_too() -> None:
    """As above, for the JSON form."""
    with pytest.raises(FaultError, match="times"):
        rule_from_json({"name": "500", "times": 3})


def test_a_count_is_used_up() -> None:
    """Two takers, then none."""
    faults = Faults("seed")
    faults.add(rule_from_text("500:2"))
    assert [bool(faults.for_request("create", "")) for _ in range(3)] == [True, True, False]


def test_a_match_spares_the_others() -> None:
    """Only the prompt that contains the words gets the fault, and only it uses up the count."""
    faults = Faults("seed")
    faults.add(rule_from_json({"name": "fail", "match": "unlucky", "count": 1}))
    assert faults.for_prediction("a sunset") == {}
    assert faults.for_prediction("an unlucky sunset") == {"fail": "E1000"}
    assert faults.for_prediction("an unlucky sunset") == {}


def test_an_operation_gets_only_its_own_faults() -> None:
    """A plain request fault hits creates."""
    faults = Faults("seed")
    faults.add(rule_from_text("500@get"))
    faults.add(rule_from_text("402"))
    assert faults.for_request("create", "") == {"402": ""}
    assert faults.for_request("get", "") == {"500": ""}
    assert faults.for_request("list", "") == {}


def test_chance_repeats_itself() -> None:
    """The same seed and the same order give the same faults, near the probability asked for."""

    def draw(seed: str) -> list[bool]:
        faults = Faults(seed)
        faults.add(rule_from_text("fail:0.3"))
        return [bool(faults.for_prediction("x")) for _ in range(400)]

    assert draw("one") == draw("one")
    assert draw("one") != draw("two")
    assert 80 < sum(draw("one")) < 160
