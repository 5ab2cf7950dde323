"""What the bench makes of its rounds: percentiles, medians and ratios."""

from __future__ import annotations

import asyncio
import math

import pytest

from bench.figures import Figure, Samples, percentile, ratios, slowest
from bench.load import Call, drive


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The smallest value that so many percent do not exceed; nothing is interpolated."""
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 50) == 50.0
    assert percentile(values, 99) == 99.0
    assert percentile(values, 100) == 100.0
    assert percentile([7.0], 1) == 7.0
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0


def test_nothing_measured_is_not_a_number() -> None:
    """Neither zero, which would meet an aim, nor an error after minutes of measuring."""
    assert math.isnan(percentile([], 50))
    assert math.isnan(Figure("nothing", "ms", ()).median)
    assert math.isnan(ratios([1.0], [0.0])[0])


def test_the_median_is_quoted_not_the_mean() -> None:
    """One disturbed round does not move it."""
    assert Figure("rate", "/s", (100.0, 101.0, 5.0)).median == 100.0


def test_ratios_are_taken_round_by_round() -> None:
    """A round in which the machine was slow has a slow limit too."""
    assert ratios([50.0, 10.0], [100.0, 20.0]) == (0.5, 0.5)
    assert slowest([4.0, 9.0], [5.0, 8.0]) == (4.0, 8.0)


def test_rounds_of_different_length_can_not_be_compared() -> None:
    """Else a ratio would be of two different moments."""
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


def test_a_rate_is_calls_by_seconds() -> None:
    """Of the calls that are counted."""
    assert Samples(2.0, [0.1] * 10).rate == 5.0
    assert Samples(0.0, []).rate == 0.0


async def test_every_client_calls_one_call_at_a_time() -> None:
    """A closed load: who is not answered does not call again."""
    open_calls = [0, 0]
    most = [0, 0]

    def client(index: int) -> Call:
        async def call() -> None:
            open_calls[index] += 1
            most[index] = max(most[index], open_calls[index])
            await asyncio.sleep(0.005)
            open_calls[index] -= 1

        return call

    samples = await drive([client(0), client(1)], 0.1)
    assert most == [1, 1]
    assert len(samples.latencies) > 4
    assert all(each >= 0.004 for each in samples.latencies)
    assert samples.seconds >= 0.1


async def test_a_call_that_fails_ends_the_load() -> None:
    """Errors are fast, and would be counted as speed."""

    async def call() -> None:
        raise ConnectionError("refused")

    with pytest.raises(ExceptionGroup) as caught:
        await drive([call], 0.1)
    assert caught.group_contains(ConnectionError)
