"""Two equal jobs in flight whose answers are both lost: told apart, and never paid for again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack.testing import Broker, PostgresServer, Stack

from .workerless import fault, final, submit, workerless_stack
from .workers import Generator, calls

SEEDED, SEEDLESS = "black-forest-labs/flux-schnell", "recraft-ai/recraft-v3"


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """With two workers."""
    folder = tmp_path_factory.mktemp("unknown")
    with (
        workerless_stack(postgres, broker, migrated, folder) as running,
        Generator(running, folder / "one.log"),
        Generator(running, folder / "two.log"),
    ):
        yield running


@pytest.mark.parametrize("model", [SEEDED, SEEDLESS])
@pytest.mark.parametrize("loss", ["drop_after_create", "html_502_after_create"])
def test_twins_whose_answers_are_both_lost_get_their_own(
    stack: Stack, model: str, loss: str
) -> None:
    """By a seed of ours, or because the second one's call waits until the first one's is known."""
    prompt = f"twins of {model} after {loss}"
    fault(stack, loss, match=prompt, count=2)
    ids = [submit(stack, prompt, model=model) for _ in range(2)]
    jobs = [final(stack, each, 120) for each in ids]
    assert [job["state"] for job in jobs] == ["STATE_COMPLETED"] * 2, jobs
    made = calls(stack, prompt)
    assert [each["answered"] for each in made] == [False, False]
    kept = [
        each["prediction_id"]
        for job in jobs for each in job["attempts"] if each["state"] == "STATE_SUCCEEDED"
    ]  # fmt: skip
    assert sorted(kept) == sorted(str(each["id"]) for each in made)
    if model == SEEDED:
        assert len({each["input"]["seed"] for each in made}) == 2  # type: ignore[index]
