"""A run that outlives its worker, its lease, a frozen process or a deploy is finished by another.

The simulator's runs are as long as a fault says. No second create is ever made, and a worker that
was frozen past its lease may record what is true, and spends nothing when it wakes.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.testing import Broker, PostgresServer, Stack

from .workerless import (
    Json,
    fault,
    final,
    finish,
    job_of,
    last_is,
    read,
    submit,
    submitted,
    until,
    workerless_stack,
)
from .workers import Generator, calls

LEASE = 4.0


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything but generators."""
    folder = tmp_path_factory.mktemp("long-runs")
    with workerless_stack(postgres, broker, migrated, folder) as running:
        yield running


def worker(stack: Stack, **env: str) -> Generator:
    return Generator(stack, stack.state / f"generator-{time.monotonic_ns()}.log", env)


def said(generator: Generator) -> str:
    """All that the worker has logged."""
    log: Path = generator._log
    return log.read_text(errors="replace") if log.exists() else ""


def soon(holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.005)


def frozen_at(failpoint: str) -> dict[str, str]:
    return {"MEDIAGEN_FAILPOINT": failpoint, "MEDIAGEN_FAILPOINT_SIGNAL": "SIGSTOP"}


def freeze(generator: Generator) -> None:
    generator.process.send_signal(signal.SIGSTOP)


def thaw(generator: Generator) -> None:
    generator.process.send_signal(signal.SIGCONT)


def epoch_of(stack: Stack, job_id: str) -> int:
    """How often the job was claimed."""
    rows = read(stack, "SELECT lease_epoch FROM jobs WHERE job_id = $1", job_id)
    return int(rows[0]["lease_epoch"])


def claimed(stack: Stack, job_id: str, times: int) -> None:
    soon(lambda: epoch_of(stack, job_id) == times, "a claim")


def assert_paid_once(stack: Stack, job: Json, prompt: str) -> None:
    """One create, one success, one artifact."""
    assert job["state"] == "STATE_COMPLETED", job
    made = calls(stack, prompt)
    assert [each["status"] for each in made] == ["succeeded"]
    assert len(job["artifacts"]) == 1
    kept = [each for each in job["attempts"] if each["state"] == "STATE_SUCCEEDED"]
    assert len(kept) == 1
    assert kept[0]["prediction_id"] == made[0]["id"]


def test_a_run_that_outlives_its_worker_is_finished_by_another(stack: Stack) -> None:
    """kill -9 in the middle of the run."""
    prompt = "outlives its worker"
    fault(stack, "processing_forever", match=prompt)
    with worker(stack):
        job_id = submit(stack, prompt)
        submitted(stack, job_id)
    assert job_of(stack, job_id)["state"] == "STATE_RUNNING"
    with worker(stack):
        claimed(stack, job_id, 2)
        finish(stack, prompt)
        assert_paid_once(stack, final(stack, job_id), prompt)
    assert epoch_of(stack, job_id) == 2


def test_a_run_that_outlives_many_leases_stays_with_its_worker(stack: Stack) -> None:
    """Heartbeats keep it: it is claimed once."""
    prompt = "outlives many leases"
    fault(stack, "run", match=prompt, arg=str(3 * LEASE))
    with worker(stack):
        job_id = submit(stack, prompt)
        assert_paid_once(stack, final(stack, job_id), prompt)
    assert epoch_of(stack, job_id) == 1


def test_a_run_that_outlives_three_deploys_is_finished_by_the_fourth_worker(stack: Stack) -> None:
    """SIGTERM hands the job back with its call running, and the next one goes on at once."""
    prompt = "outlives three deploys"
    fault(stack, "processing_forever", match=prompt)
    job_id = submit(stack, prompt)
    for claims in (1, 2, 3):
        with worker(stack) as old:
            claimed(stack, job_id, claims)
            submitted(stack, job_id)
            old.drain()
            assert old.process.wait(20) == 0
    with worker(stack):
        claimed(stack, job_id, 4)
        finish(stack, prompt)
        assert_paid_once(stack, final(stack, job_id), prompt)
    assert read(stack, "SELECT takeovers FROM jobs WHERE job_id = $1", job_id)[0]["takeovers"] == 0


def test_a_worker_frozen_while_it_polls_is_fenced_off(stack: Stack) -> None:
    """Another finishes the job; what the old one says when it wakes changes nothing."""
    prompt = "its worker is frozen while it polls"
    fault(stack, "processing_forever", match=prompt)
    with worker(stack) as frozen:
        job_id = submit(stack, prompt)
        submitted(stack, job_id)
        freeze(frozen)
        with worker(stack):
            claimed(stack, job_id, 2)
            finish(stack, prompt)
            job = final(stack, job_id)
            assert_paid_once(stack, job, prompt)
            thaw(frozen)
            time.sleep(3)
            assert frozen.process.poll() is None, "it goes on with other jobs"
    assert job_of(stack, job_id)["revision"] == job["revision"]
    assert_paid_once(stack, job_of(stack, job_id), prompt)


def test_a_worker_frozen_while_it_saves_is_fenced_off(stack: Stack) -> None:
    """Another saves the result again, under its own key; the old completion is refused."""
    prompt = "its worker is frozen while it saves"
    fault(stack, "slow_download", match=prompt, arg="3")
    with worker(stack) as frozen:
        job_id = submit(stack, prompt)
        until(stack, job_id, last_is("STATE_SUCCEEDED"), what="a success")
        freeze(frozen)
        with worker(stack):
            job = final(stack, job_id)
            assert_paid_once(stack, job, prompt)
            thaw(frozen)
            time.sleep(4)
    key = read(stack, "SELECT object_key FROM artifacts WHERE job_id = $1", job_id)
    assert [f"/{epoch_of(stack, job_id)}/" in row["object_key"] for row in key] == [True]
    assert job_of(stack, job_id)["revision"] == job["revision"]


def test_a_worker_frozen_before_its_permit_gets_none(stack: Stack) -> None:
    """It claimed, slept past its lease, and woke: the store refuses what would spend."""
    prompt = "its worker is frozen before its permit"
    with worker(stack, **frozen_at("before_begin_submit")) as frozen:
        job_id = submit(stack, prompt)
        soon(lambda: stopped(frozen), "the freeze")
        assert job_of(stack, job_id)["attempts"] == []
        with worker(stack):
            job = final(stack, job_id, 90)
            thaw(frozen)
            soon(lambda: "job.lost" in said(frozen), "its refusal")
    assert_paid_once(stack, job, prompt)
    assert len(job["attempts"]) == 1
    assert job_of(stack, job_id)["revision"] == job["revision"]


def test_a_worker_frozen_with_its_permit_sends_nothing(stack: Stack) -> None:
    """The permit's five seconds have passed when it wakes, before a byte has left."""
    prompt = "its worker is frozen with its permit"
    with worker(stack, **frozen_at("before_create_prediction")) as frozen:
        job_id = submit(stack, prompt)
        until(stack, job_id, last_is("STATE_SUBMITTING"), what="a permit")
        soon(lambda: stopped(frozen), "the freeze")
        time.sleep(6)  # longer than the permit
        thaw(frozen)
        until(stack, job_id, last_is("STATE_NOT_CREATED", "STATE_SUCCEEDED"), what="its refusal")
        job = final(stack, job_id)
    states = [each["state"] for each in job["attempts"]]
    assert states == ["STATE_NOT_CREATED", "STATE_SUCCEEDED"]
    assert_paid_once(stack, job, prompt)


def test_a_worker_frozen_in_the_middle_of_the_call_is_looked_up(stack: Stack) -> None:
    """The provider has the call, its answer is not read: found in the list, and finished. When the
    old one wakes it tells the id that it now reads, which is known."""
    prompt = "its worker is frozen in the middle of the call"
    with worker(stack, **frozen_at("during_create_prediction")) as frozen:
        job_id = submit(stack, prompt)
        soon(lambda: bool(calls(stack, prompt)), "the call")
        soon(lambda: stopped(frozen), "the freeze")
        with worker(stack):
            job = final(stack, job_id, 90)
            assert_paid_once(stack, job, prompt)
            thaw(frozen)
            time.sleep(3)
    assert [each["state"] for each in job_of(stack, job_id)["attempts"]] == ["STATE_SUCCEEDED"]
    assert job_of(stack, job_id)["revision"] == job["revision"]
    assert len(calls(stack, prompt)) == 1


def stopped(generator: Generator) -> bool:
    """The process is stopped by a signal (state T)."""
    stat = Path(f"/proc/{generator.process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"
