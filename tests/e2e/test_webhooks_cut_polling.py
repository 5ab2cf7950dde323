"""With webhooks a job costs three requests at the provider; without them it ends all the same.

What is counted is what the simulator was asked: creates, looks, cancels, files. CI runs 30
predictions of 6 s; WEBHOOK_TEST_JOBS=100 WEBHOOK_TEST_SECONDS=20 is what is promised.
"""

from __future__ import annotations

import asyncio
import bisect
import os
import statistics
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack

from .workerless import FINAL, Json, fault, job_of, submit, until, workerless_stack
from .workers import Generator, assert_never_paid_twice, calls

JOBS = int(os.environ.get("WEBHOOK_TEST_JOBS", "30"))
SECONDS = float(os.environ.get("WEBHOOK_TEST_SECONDS", "6"))
WORKERS = 3
MODEL = "black-forest-labs/flux-dev"  # prints a line for each of its 28 steps
SECRET = "whsec_bWVkaWFnZW4gaXMgdGVzdGVkIHdpdGggdGhpcw=="  # pragma: allowlist secret
pytestmark = pytest.mark.timeout(600)  # the start of the stack counts


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Three workers, and a provider that knows our address."""
    folder = tmp_path_factory.mktemp("cut_polling")
    # Instant: one picture for all, as drawing a hundred takes longer than their runs.
    more = {"REPLICATE_WEBHOOK_SECRET": SECRET, "LEASE_SECONDS": "10", "SIMULATOR_INSTANT": "1"}
    with ExitStack() as ends:
        running = ends.enter_context(workerless_stack(postgres, broker, migrated, folder, more))
        env = {"REPLICATE_WEBHOOK_URL": running.edge_url}
        for number in range(WORKERS):
            ends.enter_context(Generator(running, folder / f"generator-{number}.log", env))
        yield running


async def ran_at_once(stack: Stack, prompts: list[str]) -> list[Json]:
    """The jobs of *prompts*, which run at the same time, once all have ended."""
    async with httpx.AsyncClient(base_url=stack.edge_url, timeout=60, trust_env=False) as http:

        async def one(prompt: str) -> str:
            body = {"model": MODEL, "prompt": prompt, "request_id": str(uuid.uuid4())}
            while (answer := await http.post("/api/v1/generate", json=body)).status_code == 503:
                await asyncio.sleep(1)  # a busy machine; the store refuses what it has no time for
            job_id: str = answer.raise_for_status().json()["job_id"]
            return job_id

        waited_for = set(await asyncio.gather(*map(one, prompts)))
        ended: list[Json] = []
        async with asyncio.timeout(SECONDS + 120):
            while waited_for:
                await asyncio.sleep(1)
                for job_id in tuple(waited_for):
                    answer = await http.get(f"/api/v1/status/{job_id}")
                    job: Json = answer.raise_for_status().json()
                    if job["state"] in FINAL:
                        waited_for.discard(job_id)
                        ended.append(job)
    return ended


async def requests_of(stack: Stack, about: str) -> list[int]:
    """How often the provider was asked for each of the jobs, all of which completed."""
    for name, seconds in (("queue", 0.5), ("run", SECONDS)):
        fault(stack, name, match=about, arg=str(seconds), count=None)
    ended = await ran_at_once(stack, [f"{about} {number:03d}." for number in range(JOBS)])
    assert {job["state"] for job in ended} == {"STATE_COMPLETED"}
    made = [calls(stack, f"{about} {number:03d}.") for number in range(JOBS)]
    for each in made:
        assert_never_paid_twice(each)
    found = [sum(int(str(call["requests"])) for call in each) for each in made]
    tenths = statistics.quantiles(found, n=10)
    print(
        f"{about}: {JOBS} jobs, up to {most_at_once(made)} predictions at once; requests a job: "
        f"median {tenths[4]:g}, p90 {tenths[8]:g}, most {max(found)}"
    )
    return found


def most_at_once(made: list[list[dict[str, object]]]) -> int:
    """How many predictions were alive at the same time."""
    lives = [call["live"] for each in made for call in each]
    begins, ends = (sorted(str(life[index]) for life in lives) for index in (0, 1))  # type: ignore[index]
    return max(index + 1 - bisect.bisect(ends, begin) for index, begin in enumerate(begins))


async def test_with_webhooks_a_job_costs_three_requests(stack: Stack) -> None:
    """At the median, and of predictions that run at the same time: create, one look, one file."""
    found = await requests_of(stack, "told of everything")
    assert statistics.median(found) <= 3


def test_progress_and_log_are_seen_without_a_look(stack: Stack) -> None:
    """They came with the webhooks."""
    prompt = "seen while it runs"
    fault(stack, "run", match=prompt, arg="12")
    job_id = submit(stack, prompt, model=MODEL)
    job = until(
        stack,
        job_id,
        lambda job: job.get("progress_percent", 0) >= 25 and "%|" in job.get("log_tail", ""),
        what="progress",
    )
    assert job["stage"] == "STAGE_PROCESSING"
    assert [call["gets"] for call in calls(stack, prompt)] == [0]
    until(stack, job_id, lambda job: job["state"] in FINAL, what="an end")
    assert "Total safe images" in job_of(stack, job_id)["log_tail"]


async def test_without_any_webhook_every_job_completes(stack: Stack) -> None:
    """Looks find out that none comes; the next ones are then polled from the start."""
    fault(stack, "webhook_lost", match="told of nothing", count=None)
    await requests_of(stack, "told of nothing")
    logs = [(stack.state / f"generator-{number}.log").read_text() for number in range(WORKERS)]
    assert any("webhooks.unheard" in log for log in logs)
