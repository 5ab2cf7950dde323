"""The generator is killed between every two steps of the ledger, and the job still ends.

For each failpoint one job is run by a worker that dies there by SIGKILL. Afterwards healthy workers
are started, every job must end as it should, and the simulator's own ledger must show that no job
ever had two live calls, nor another one after a success.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from generator.failpoints import NAMES

from .workers import Generator, assert_never_paid_twice, calls, set_fault

ENV = {
    "PROVIDER_CREATES_PER_MINUTE": "0",
    "LEASE_SECONDS": "4",
    "RECONCILE_SETTLE": "1",
    "RECONCILE_SCAN_GAP": "1",
    "SIMULATOR_SPEED": "5",
}
MODEL = "black-forest-labs/flux-schnell"


@dataclass(frozen=True)
class Scene:
    """What leads a job past a failpoint: a fault of the provider, or what is done to the job."""

    fault: str = ""
    argument: str = ""
    cancel: bool = False
    drain: bool = False
    ends: str = "STATE_COMPLETED"


SCENES = {
    "after_record_unknown": Scene(fault="drop_after_create"),
    "before_report_scan": Scene(fault="drop_after_create"),
    "after_record_not_created": Scene(fault="429_with_retry_after", argument="1"),
    "before_record_ended": Scene(fault="fail", argument="E9828"),
    "after_record_ended": Scene(fault="fail", argument="E9828"),
    "after_cancel": Scene(fault="run", argument="300", cancel=True, ends="STATE_CANCELED"),
    "before_release": Scene(fault="run", argument="15", drain=True),
}


@dataclass
class Crash:
    """One job, and whether its worker died where it should."""

    job_id: str
    prompt: str
    died: bool
    job: dict[str, object]


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything but generators, on a database and virtual host of its own."""
    from store.adapters.invariants import broken

    url, vhost = postgres.create_database(migrated), broker.create_vhost()
    env = {**ENV, "DATABASE_URL": url, "AMQP_URL": vhost}
    with Stack(tmp_path_factory.mktemp("crash"), env=env, without=["generator-1"]) as running:
        yield running
    import asyncio

    assert not asyncio.run(broken(url))
    broker.delete_vhost(vhost)


@pytest.fixture(scope="module")
def crashes(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Crash]:
    """Every failpoint has killed a worker; then two healthy ones have ended every job."""
    folder = tmp_path_factory.mktemp("marks")
    log = stack.state / "generators.log"
    done = {name: _crash(stack, name, folder / name, log) for name in NAMES}
    with Generator(stack, log), Generator(stack, log):
        end = time.monotonic() + 150
        while _open(stack, done) and time.monotonic() < end:
            # That nothing was created is believed only once the listing shows a later call of ours.
            _submit(stack, "a later call, as a busy account makes them")
            time.sleep(4)
    return done


def _open(stack: Stack, crashes: dict[str, Crash]) -> bool:
    """Some job has not ended yet."""
    for crash in crashes.values():
        if crash.job.get("end_time") is None:
            crash.job = _job(stack, crash.job_id)
    return any(crash.job.get("end_time") is None for crash in crashes.values())


def _submit(stack: Stack, prompt: str) -> dict[str, object]:
    body = {"model": MODEL, "prompt": prompt, "timeout": "600s"}
    answer = httpx.post(f"{stack.edge_url}/api/v1/generate", json=body).raise_for_status()
    submitted: dict[str, object] = answer.json()
    return submitted


def _job(stack: Stack, job_id: str) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{stack.edge_url}/api/v1/status/{job_id}").json()
    return found


def _crash(stack: Stack, name: str, mark: Path, log: Path) -> Crash:
    scene, prompt = SCENES.get(name, Scene()), f"a fox at {name} of the road"
    if scene.fault:
        set_fault(stack, scene.fault, match=prompt, argument=scene.argument)
    job = _submit(stack, prompt)
    env = {"MEDIAGEN_FAILPOINT": name, "MEDIAGEN_FAILPOINT_MARK": str(mark)}
    with Generator(stack, log, env) as worker:
        if scene.cancel or scene.drain:
            _wait_until_submitted(stack, str(job["job_id"]))
        if scene.cancel:
            url = f"{stack.edge_url}/api/v1/jobs/{job['job_id']}:cancel"
            httpx.post(url, json={}).raise_for_status()
        if scene.drain:
            worker.drain()
        died = worker.killed(30)
    return Crash(str(job["job_id"]), prompt, died and mark.exists(), job)


def _wait_until_submitted(stack: Stack, job_id: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        attempts = _job(stack, job_id)["attempts"]
        if attempts and attempts[-1]["state"] == "STATE_SUBMITTED":  # type: ignore[index]
            return
        time.sleep(0.1)
    raise AssertionError("the job was not submitted within 20 s")


@pytest.mark.timeout(420)
@pytest.mark.parametrize("name", NAMES)
def test_a_worker_killed_there_loses_no_job_and_pays_once(
    stack: Stack, crashes: dict[str, Crash], name: str
) -> None:
    """The job ends as it should, each call began after the end of the last, and one was paid."""
    crash = crashes[name]
    assert crash.died, f"no worker came past {name}"
    assert crash.job["state"] == SCENES.get(name, Scene()).ends, crash.job
    made = calls(stack, crash.prompt)
    assert_never_paid_twice(made)
    succeeded = [call for call in made if call["status"] == "succeeded"]
    assert len(succeeded) == (1 if crash.job["state"] == "STATE_COMPLETED" else 0)


def test_every_artifact_of_a_completed_job_is_there(
    stack: Stack, crashes: dict[str, Crash]
) -> None:
    """COMPLETED means stored: the bytes come back with the length that the job says."""
    for crash in crashes.values():
        for artifact in crash.job.get("artifacts") or []:  # type: ignore[attr-defined]
            url = f"{stack.edge_url}/api/v1/jobs/{crash.job_id}/artifacts/{artifact['index']}"
            assert len(httpx.get(url).content) == artifact["size_bytes"]


def test_no_token_was_ever_sent_to_the_delivery_host(
    stack: Stack, crashes: dict[str, Crash]
) -> None:
    """The simulator notes every Authorization header that comes with a download."""
    ledger = httpx.get(f"{stack.simulator_url}/_simulator/ledger").json()
    assert ledger["auth_leaks"] == []
