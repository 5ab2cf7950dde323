"""What is shown of a model's log: its last whole lines."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from generator.domain.progress import LONGEST_TAIL, percent, tail

LOGS = st.lists(
    st.sampled_from(["a line\n", "  7%|7    | 1/14\r", "", "\n", "é" * 300 + "\n", "x" * 2000])
).map("".join)


@given(LOGS | st.text(max_size=3000))
def test_the_tail_is_short_and_holds_no_control(log: str) -> None:
    """It goes into a message, a database and a terminal."""
    shown = tail(log)
    assert len(shown) <= LONGEST_TAIL
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown)
    assert shown == shown.strip("\n")


@given(LOGS)
def test_the_tail_of_a_log_and_of_its_end_are_the_same(log: str) -> None:
    """A webhook brings only the end; a look brings all: what is shown does not jump."""
    assert tail(log) == tail(log[-LONGEST_TAIL:])


def test_the_first_line_of_a_longer_log_is_whole() -> None:
    """Half a line at the top would be taken for one."""
    log = "".join(f"line {number:4d}\n" for number in range(500))
    lines = tail(log).split("\n")
    assert all(re.fullmatch(r"line +\d+", line) for line in lines)
    assert lines[-1] == "line  499"
    assert len(tail(log)) > LONGEST_TAIL - 12


def test_a_line_longer_than_the_tail_shows_its_end() -> None:
    """Better than nothing."""
    assert tail("begin" + "x" * 5000) == "x" * LONGEST_TAIL


def test_a_progress_bar_becomes_lines() -> None:
    """A carriage return ends one; colours of a terminal go."""
    log = "load\r\n\x1b[32m 50%|##| 1/2 [00:01]\x1b[0m\r100%|####| 2/2 [00:02]\x1b[K\n"
    assert tail(log) == "load\n 50%|##| 1/2 [00:01]\n100%|####| 2/2 [00:02]"
    assert percent(log) == 100


def test_nothing_printed_is_nothing_shown() -> None:
    assert tail("") == tail("\n\r\n") == ""
