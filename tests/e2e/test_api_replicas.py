"""Does the path hold through two of each part, and when one of each is killed in the middle?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from mediagen import Client, Job
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from store.adapters.invariants import broken
from tests.e2e.api_calls import FLUX, SMALL, caller, ledger, set_fault, stack_of_its_own

JOBS = 20


@pytest.fixture(scope="module")
def pair(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Two stores, two gateways, two generators; a dead worker's jobs are taken over soon."""
    state = tmp_path_factory.mktemp("pair")
    # A lease covers the whole wait for the create's answer, so that is shortened too.
    more = {"CREATE_TIMEOUT": "5", "LEASE_SECONDS": "8", "LEASE_HEARTBEAT": "1"}
    with stack_of_its_own(postgres, broker, migrated, state, more, of_each=2) as started:
        yield started


async def submitted(clients: list[Client], prompt: str) -> list[str]:
    """The ids of JOBS jobs, submitted through the clients in turn."""
    jobs = await asyncio.gather(
        *(
            clients[n % len(clients)].submit(f"{prompt} {n}", model=FLUX, input=SMALL)
            for n in range(JOBS)
        )
    )
    return [job.job_id for job in jobs]


async def creates_by_prompt(stack: Stack, match: str) -> dict[str, int]:
    """How many predictions were created for each prompt."""
    made: dict[str, int] = {}
    for each in (await ledger(stack, match))["predictions"]:
        prompt = each["input"]["prompt"]
        made[prompt] = made.get(prompt, 0) + 1
    return made


async def test_jobs_go_through_both_of_each(pair: Stack) -> None:
    """All are completed with one paid call each; both generators and both stores had work."""
    async with (
        Client(pair.plan.gateway_addresses[0]) as first,
        Client(pair.plan.gateway_addresses[1]) as second,
    ):
        ids = await submitted([first, second], "through both")
        # Each waits at the gateway that did not take its job.
        jobs = await asyncio.gather(
            *((second, first)[n % 2].wait(job_id, timeout=60) for n, job_id in enumerate(ids))
        )
        assert {job.state for job in jobs} == {Job.STATE_COMPLETED}
        assert {len(job.attempts) for job in jobs} == {1}
        listed = [job.job_id async for job in second.list(page_size=7)]
    assert set(ids) <= set(listed)
    made = await creates_by_prompt(pair, "through both")
    assert made == {f"through both {n}": 1 for n in range(JOBS)}
    for part in ("generator-1", "generator-2"):
        assert any(job_id in pair.read_log(part) for job_id in ids), f"{part} had no work"
    for part in ("store-1", "store-2", "gateway-1", "gateway-2"):
        assert "rpc.finished" in pair.read_log(part), f"{part} had no work"
    assert not await broken(pair.database_url)


async def test_a_watch_crosses_the_gateways(pair: Stack) -> None:
    """Submitted at the first and watched at the second: every revision, once and in order."""
    addresses = pair.plan.gateway_addresses
    async with (
        Client(addresses[0]) as client,
        grpc.aio.insecure_channel(addresses[1]) as channel,
    ):
        job = await client.submit("watched elsewhere", model=FLUX, input=SMALL)
        stub = GenerationServiceStub(channel)
        revisions = [job.revision]
        request = pb2.WatchJobRequest(job_id=job.job_id, after_revision=job.revision)
        async for event in stub.WatchJob(request):
            assert event.WhichOneof("event") in ("update", "heartbeat", "forecast")
            if event.HasField("update"):
                revisions.append(event.update.revision)
        last = await client.get(job.job_id)
    assert last.state == Job.STATE_COMPLETED
    assert revisions == list(range(1, last.revision + 1))


async def test_one_of_each_is_killed_and_every_job_completes(pair: Stack) -> None:
    """kill -9 while all jobs are paid for and running: all complete, and none is paid twice."""
    addresses = pair.plan.gateway_addresses
    await set_fault(pair, "killed in the middle", "run", arg="8")
    async with Client(addresses[0]) as first, Client(addresses[1]) as second, caller(pair) as http:
        ids = await submitted([first, second], "killed in the middle")
        paid: set[str] = set()

        async def seen(n: int, job_id: str) -> tuple[Job, list[int]]:
            revisions: list[int] = []
            job = Job()
            async for job in (first, second)[n % 2].watch(job_id):
                revisions.append(job.revision)
                if job.stage in (Job.STAGE_STARTING, Job.STAGE_PROCESSING):
                    paid.add(job_id)
            return job, revisions

        watches = [asyncio.create_task(seen(n, each)) for n, each in enumerate(ids)]
        async with asyncio.timeout(60):
            while len(paid) < JOBS:
                await asyncio.sleep(0.1)
        assert any(job_id in pair.read_log("generator-2") for job_id in ids)
        for part in ("generator-2", "store-2", "gateway-2"):
            await asyncio.to_thread(pair.kill, part)
        # The edge goes on with the gateway that is left.
        assert (await http.get(f"/api/v1/status/{ids[0]}")).status_code == 200
        async with asyncio.timeout(90):
            told = await asyncio.gather(*watches)
    for job, revisions in told:
        assert job.state == Job.STATE_COMPLETED
        assert revisions == list(range(revisions[0], job.revision + 1))
    made = await creates_by_prompt(pair, "killed in the middle")
    assert made == {f"killed in the middle {n}": 1 for n in range(JOBS)}
    for part in ("generator-2", "store-2", "gateway-2"):
        await asyncio.to_thread(pair.wait_ready, part)
    assert not await broken(pair.database_url)
