"""The object store's disk is full: what becomes of a result that was paid for?

The generator may write no file at all (RLIMIT_FSIZE), as on a full disk. Saving is tried again
within the same attempt, until there is room or the provider has deleted the result.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.testing import Broker, PostgresServer, Stack
from mediagen import Client
from mediagen.v1.attempt_pb2 import CHARGE_YES, Attempt
from mediagen.v1.failure_pb2 import FAILURE_REASON_OUTPUT_LOST
from mediagen.v1.job_pb2 import Job
from tests.e2e.api_calls import FLUX, SMALL, set_fault
from tests.e2e.outages import PATIENCE, assert_paid_once, stack_on, until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    migrated: str,
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """One of each part."""
    database, vhost = postgres.create_database(migrated), broker.create_vhost()
    with stack_on(database, vhost, tmp_path_factory.mktemp("stack")) as running:
        yield running
    broker.delete_vhost(vhost)


def room(stack: Stack, largest: int) -> None:
    """The generator may write files of so many bytes from now on."""
    pid = stack.pid("generator-1")
    assert pid is not None
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))


def failures(stack: Stack, job_id: str) -> int:
    """How often saving this job has failed."""
    lines = stack.read_log("generator-1").splitlines()
    return sum("saving.failed" in line and job_id in line for line in lines)


def files(stack: Stack) -> list[Path]:
    """What lies in the object store for jobs: half files too, but not a whole one's preview."""
    found = {path for path in (stack.state / "artifacts/default").rglob("*") if path.is_file()}
    previews = {path.with_name(f"{path.name}.preview.webp") for path in found}
    return sorted(found - previews)


async def test_a_full_disk_delays_a_result_and_pays_once(stack: Stack, tmp_path: Path) -> None:
    """The job stays in RUNNING, saving; its one attempt has SUCCEEDED; with room it completes, and
    no half of a file is left."""
    prompts = [f"a fox on a full disk {n}" for n in range(3)]
    async with Client(stack.gateway_address) as client:
        room(stack, 0)
        try:
            jobs = [await client.submit(each, model=FLUX, input=SMALL) for each in prompts]
            await until(lambda: all(failures(stack, job.job_id) >= 2 for job in jobs))
            for job in jobs:
                now = await client.get(job.job_id)
                assert (now.state, now.stage) == (Job.STATE_RUNNING, Job.STAGE_SAVING)
                assert [each.state for each in now.attempts] == [Attempt.STATE_SUCCEEDED]
        finally:
            room(stack, resource.RLIM_INFINITY)
        done = [await client.wait(job.job_id, timeout=PATIENCE) for job in jobs]
        assert {job.state for job in done} == {Job.STATE_COMPLETED}
        assert {len(job.attempts) for job in done} == {1}
        for job in done:
            path = tmp_path / job.job_id
            await client.download(job.job_id, to=str(path))
            assert path.stat().st_size == job.artifacts[0].size_bytes
    await assert_paid_once(stack, set(prompts), "a fox on a full disk")
    assert len(files(stack)) == len(prompts)


async def test_half_of_a_large_file_is_not_left_behind(stack: Stack) -> None:
    """Room for a part of it only: what was written goes, so that the others find room."""
    prompt = "a fox too large for the disk"
    await set_fault(stack, prompt, "huge_file", arg="12000000")
    room(stack, 9_000_000)
    try:
        async with Client(stack.gateway_address) as client:
            job = await client.submit(prompt, model=FLUX, input=SMALL)
            await until(lambda: failures(stack, job.job_id))
            assert not [path for path in files(stack) if job.job_id in str(path)]
            room(stack, resource.RLIM_INFINITY)
            done = await client.wait(job.job_id, timeout=PATIENCE)
    finally:
        room(stack, resource.RLIM_INFINITY)
    assert (done.state, done.artifacts[0].size_bytes) == (Job.STATE_COMPLETED, 12_000_000)
    assert [path.stat().st_size for path in files(stack) if job.job_id in str(path)] == [12_000_000]
    await assert_paid_once(stack, {prompt}, prompt)


async def test_a_result_that_never_found_room_is_lost_and_says_so(stack: Stack) -> None:
    """The provider deletes it: FAILED with OUTPUT_LOST, charged, and no second call."""
    prompt = "a fox that nobody could keep"
    await set_fault(stack, prompt, "data_removal_after", arg="6")
    room(stack, 0)
    try:
        async with Client(stack.gateway_address) as client:
            job = await client.submit(prompt, model=FLUX, input=SMALL)
            await until(lambda: failures(stack, job.job_id))
            lost = await asyncio.wait_for(client.wait(job.job_id), PATIENCE)
    finally:
        room(stack, resource.RLIM_INFINITY)
    assert (lost.state, lost.failure.reason) == (Job.STATE_FAILED, FAILURE_REASON_OUTPUT_LOST)
    assert lost.charge == CHARGE_YES
    assert [each.state for each in lost.attempts] == [Attempt.STATE_SUCCEEDED]
    await assert_paid_once(stack, {prompt}, prompt)
