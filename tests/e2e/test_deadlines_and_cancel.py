"""A job's time and a caller's cancel end it, whatever it is at, and its charge is what was billed.

The simulator's ledger says what a call cost; the job must say the same, or that it is not known.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack

from .workerless import (
    Json,
    cancel,
    fault,
    final,
    job_of,
    last_is,
    read,
    submit,
    submitted,
    until,
    workerless_stack,
)
from .workers import Generator, assert_never_paid_twice, calls

RACES = 24
WAITING = ("STATE_PENDING",)


@pytest.fixture(scope="module")
def bare(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Without a worker."""
    folder = tmp_path_factory.mktemp("deadlines")
    with workerless_stack(postgres, broker, migrated, folder) as running:
        yield running


@pytest.fixture(scope="module")
def staffed(bare: Stack) -> Iterator[Stack]:
    """With one worker, from the first test that asks for it to the last."""
    log = bare.state / "generator.log"
    with Generator(bare, log):
        end = time.monotonic() + 90
        while log.read_text().count("broker.connected") < 3:
            assert time.monotonic() < end, "the worker does not start"
            time.sleep(0.1)
        yield bare


def at(stamp: Any) -> datetime:
    return datetime.fromisoformat(str(stamp))


def assert_charged_as_billed(stack: Stack, job: Json, prompt: str) -> None:
    """YES is billed and NO is not; the provider's own states are the attempts'."""
    made = calls(stack, prompt)
    assert_never_paid_twice(made)
    billed = any(float(str(each["billed"])) > 0 for each in made)
    if job["charge"] != "CHARGE_UNKNOWN":
        assert (job["charge"] == "CHARGE_YES") == billed, (job, made)
    succeeded = [each for each in made if each["status"] == "succeeded"]
    assert (job["state"] == "STATE_COMPLETED") == bool(succeeded), (job, made)
    assert bool(job["artifacts"]) == (job["state"] == "STATE_COMPLETED")
    for attempt in job["attempts"]:
        assert attempt["charge_reason"] != "CHARGE_REASON_UNSPECIFIED"


def test_the_deadline_bounds_the_time_in_the_queue(bare: Stack) -> None:
    """A job that never gets a worker fails at its deadline, and costs nothing."""
    job_id = submit(bare, "nobody takes it", timeout="10s")
    job = final(bare, job_id, 25)
    assert (job["state"], job["failure"]["reason"]) == ("STATE_FAILED", "FAILURE_REASON_DEADLINE")
    assert (job["charge"], job["attempts"]) == ("CHARGE_NO", [])
    late = (at(job["end_time"]) - at(job["deadline"])).total_seconds()
    assert 0 <= late < 10


def test_without_any_worker_the_provider_ends_the_run_by_itself(bare: Stack) -> None:
    """Cancel-After: what nobody of ours is left to cancel does not go on costing."""
    prompt = "left alone at the provider"
    fault(bare, "processing_forever", match=prompt)
    with Generator(bare, bare.state / "first.log"):
        job_id = submit(bare, prompt, timeout="40s")
        submitted(bare, job_id)
    end = time.monotonic() + 60
    while calls(bare, prompt)[0]["live"][1] is None:  # type: ignore[index]
        assert time.monotonic() < end, "it runs on"
        time.sleep(0.2)
    (made,) = calls(bare, prompt)
    assert (made["status"], made["cancels"]) == ("canceled", 0)
    with Generator(bare, bare.state / "second.log"):
        job = final(bare, job_id, 40)
    assert (job["state"], job["failure"]["reason"]) == ("STATE_FAILED", "FAILURE_REASON_DEADLINE")
    assert job["charge"] in ("CHARGE_YES", "CHARGE_UNKNOWN")


@pytest.mark.parametrize("stuck", ["starting_forever", "processing_forever"])
def test_at_the_deadline_the_provider_is_told_and_its_word_read_back(
    staffed: Stack, stuck: str
) -> None:
    """The run has our deadline as its own too, so that it ends if all of ours is down."""
    prompt = f"a run that is {stuck}"
    fault(staffed, stuck, match=prompt)
    job = final(staffed, submit(staffed, prompt, timeout="20s"), 60)
    assert (job["state"], job["failure"]["reason"]) == ("STATE_FAILED", "FAILURE_REASON_DEADLINE")
    (made,) = calls(staffed, prompt)
    assert made["status"] in ("canceled", "aborted")
    told = at(made["deadline"]) - at(job["deadline"])
    assert abs(told.total_seconds()) < 5, "what Cancel-After said"
    ran = stuck == "processing_forever"
    assert job["charge"] == ("CHARGE_YES" if ran else "CHARGE_NO")
    why = "RAN_UNTIL_CANCELED" if ran else "NEVER_RAN"
    assert job["attempts"][0]["charge_reason"] == f"CHARGE_REASON_{why}"
    assert_charged_as_billed(staffed, job, prompt)


def test_a_cancel_that_races_completion_ends_in_one_truthful_state(staffed: Stack) -> None:
    """At every moment of a job's life: COMPLETED with its artifact, or CANCELED and billed so."""
    dice, ends = random.Random(22), set()
    moments = [dice.uniform(0, 2.5) for _ in range(RACES)]
    jobs: dict[str, str] = {}
    due: list[tuple[float, str]] = []
    for number, moment in enumerate(moments):
        prompt = f"race {number:02d} of cancel and completion"
        # Short and long ones, so that on a slow machine too some are canceled and some are not.
        fault(staffed, "run", match=prompt, arg=str(round(0.2 * 2 ** dice.uniform(0, 7), 2)))
        job_id = submit(staffed, prompt, input={"megapixels": "0.25"})
        jobs[job_id] = prompt
        due.append((time.monotonic() + moment, job_id))
    for when, job_id in sorted(due):
        time.sleep(max(0.0, when - time.monotonic()))
        cancel(staffed, job_id)
    for job_id, prompt in jobs.items():
        job = final(staffed, job_id, 60)
        assert job["state"] in ("STATE_COMPLETED", "STATE_CANCELED"), job
        assert_charged_as_billed(staffed, job, prompt)
        ends.add(job["state"])
        again = cancel(staffed, job_id)
        assert (again["state"], again["revision"]) == (job["state"], job["revision"])
    assert ends == {"STATE_COMPLETED", "STATE_CANCELED"}, "the races were no races"


def test_a_cancel_while_the_call_is_being_sent_waits_for_its_id(staffed: Stack) -> None:
    """There is nothing to cancel before; then the provider is told."""
    prompt = "canceled while it is sent"
    fault(staffed, "slow_create", match=prompt, arg="2")
    fault(staffed, "run", match=prompt, arg="600")
    job_id = submit(staffed, prompt)
    until(staffed, job_id, last_is("STATE_SUBMITTING"), what="a permit")
    noted = cancel(staffed, job_id)
    assert (noted["state"], noted["stage"]) == ("STATE_RUNNING", "STAGE_CANCELING")
    job = final(staffed, job_id)
    assert job["state"] == "STATE_CANCELED"
    (made,) = calls(staffed, prompt)
    assert (made["status"], made["cancels"]) == ("canceled", 1)
    assert_charged_as_billed(staffed, job, prompt)


def test_a_cancel_while_the_answer_is_looked_up_ends_what_is_found(staffed: Stack) -> None:
    """The lost call is found in the list first, then canceled."""
    prompt = "canceled while it is looked up"
    fault(staffed, "drop_after_create", match=prompt)
    fault(staffed, "list_lag", match=prompt, arg="6")
    fault(staffed, "run", match=prompt, arg="600")
    job_id = submit(staffed, prompt)
    job = until(staffed, job_id, last_is("STATE_UNKNOWN"), what="a lost answer")
    assert job["stage"] == "STAGE_RECONCILING"
    assert cancel(staffed, job_id)["stage"] == "STAGE_CANCELING"
    job = final(staffed, job_id, 60)
    assert job["state"] == "STATE_CANCELED"
    (made,) = calls(staffed, prompt)
    assert made["status"] == "canceled"
    assert_charged_as_billed(staffed, job, prompt)


def test_a_cancel_while_the_result_is_saved_keeps_it(staffed: Stack) -> None:
    """It is paid for."""
    prompt = "canceled while it is saved"
    fault(staffed, "slow_download", match=prompt, arg="3")
    job_id = submit(staffed, prompt)
    until(staffed, job_id, last_is("STATE_SUCCEEDED"), what="a success")
    assert cancel(staffed, job_id)["state"] == "STATE_RUNNING"
    job = final(staffed, job_id)
    assert job["state"] == "STATE_COMPLETED"
    assert_charged_as_billed(staffed, job, prompt)


def test_a_cancel_while_the_provider_wants_no_more_calls_ends_at_once(staffed: Stack) -> None:
    """A job that waits for the rate has made no call that could cost."""
    prompt = "canceled while it waits for its turn"
    fault(staffed, "429_with_retry_after", match=prompt, count=20, arg="60")
    job_id = submit(staffed, prompt)
    waits = until(staffed, job_id, lambda job: job["state"] in WAITING and bool(job["attempts"]))
    assert waits["attempts"][-1]["charge_reason"] == "CHARGE_REASON_NOT_CREATED"
    job = cancel(staffed, job_id)
    assert (job["state"], job["charge"]) == ("STATE_CANCELED", "CHARGE_NO")
    assert calls(staffed, prompt) == []


def test_a_parked_job_says_so_and_its_cancel_ends_it(staffed: Stack) -> None:
    """What became of the call is not known, and that is what its charge says."""
    prompt = "parked, then canceled"
    fault(staffed, "drop_before_create", match=prompt)
    job_id = submit(staffed, prompt)
    until(staffed, job_id, last_is("STATE_UNKNOWN"), what="a lost answer")
    # A prediction in the window whose data is gone: it may be the one that was lost.
    fault(staffed, "data_removal_after", match="gone at once", arg="0", count=None)
    send = {"Authorization": "Bearer another-program-of-the-same-account"}
    body = {"version": "black-forest-labs/flux-schnell", "input": {"prompt": "gone at once"}}
    url = f"{staffed.simulator_url}/v1/predictions"
    httpx.post(url, json=body, headers=send, trust_env=False).raise_for_status()
    parked = until(staffed, job_id, last_is("STATE_UNRESOLVED"), 90, "a parked job")
    assert (parked["state"], parked["stage"]) == ("STATE_RUNNING", "STAGE_RECONCILING")
    assert (parked["attempts"][0]["charge"], parked["attempts"][0]["charge_reason"]) == (
        "CHARGE_UNKNOWN", "CHARGE_REASON_OUTCOME_UNKNOWN",
    )  # fmt: skip
    health = httpx.get(f"{staffed.edge_url}/api/v1/health", trust_env=False).text
    assert "operator" in health
    job = cancel(staffed, job_id)
    assert (job["state"], job["charge"]) == ("STATE_CANCELED", "CHARGE_UNKNOWN")
    assert calls(staffed, prompt) == []


def test_every_job_here_has_ended_and_no_call_is_open(bare: Stack) -> None:
    """Run last: whatever was canceled or timed out above left nothing behind."""
    open_jobs = read(bare, "SELECT job_id FROM jobs WHERE state IN ('PENDING', 'RUNNING')")
    assert [job_of(bare, str(row["job_id"]))["state"] for row in open_jobs] == []
