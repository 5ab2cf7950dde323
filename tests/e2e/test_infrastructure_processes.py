"""The store, the gateway or the edge is killed under load: what does a client see meanwhile?

UNAVAILABLE, which it may repeat with the same request_id: over gRPC from whoever still stands or,
where nobody does, from its own channel; over REST 503, or no connection where the edge is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from mediagen import Client, Job
from tests.e2e.api_calls import FLUX, SMALL, caller, set_fault
from tests.e2e.outages import (
    PATIENCE,
    assert_rest_says_try_again,
    health,
    reachable,
    stack_on,
    submitting,
    until,
)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    migrated: str,
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """One of each part, so that there is nobody to step in."""
    database, vhost = postgres.create_database(migrated), broker.create_vhost()
    with stack_on(database, vhost, tmp_path_factory.mktemp("stack")) as running:
        yield running
    broker.delete_vhost(vhost)


async def test_without_a_store_calls_are_unavailable_and_jobs_wait(stack: Stack) -> None:
    """The gateway answers for it, and says when to try again; runs go on and are recorded later,
    by nobody else's call."""
    what = "a fox while the store is killed"
    await set_fault(stack, what, "run", arg="4")
    async with submitting(stack, what) as client:
        await client.more(6)
        await asyncio.to_thread(stack.kill, "store-1", restart=False)
        refused = await client.refused()
        assert (refused.code, refused.reason) == ("UNAVAILABLE", "UNAVAILABLE")
        assert refused.retry_delay
        await assert_rest_says_try_again(stack)
        status, parts = await health(stack)
        assert (status, parts["store"]) == (503, "NOT_SERVING")
        await asyncio.to_thread(stack.start, "store-1")
        await client.more(6)
    assert {each.code for each in client.refusals} == {"UNAVAILABLE"}
    await client.completed()


async def test_a_store_that_is_killed_again_and_again_keeps_every_job(stack: Stack) -> None:
    """Under load, whatever it was at: submissions, claims, permits, records, publishes."""
    async with submitting(stack, "a fox while the store dies and dies", pause=0.1) as client:
        for _ in range(3):
            await client.more(5)
            await asyncio.to_thread(stack.kill, "store-1")
        await client.more(5)
    assert {each.code for each in client.refusals} <= {"UNAVAILABLE"}
    await client.completed()


async def test_without_a_gateway_the_edge_answers_for_it(stack: Stack) -> None:
    """503 with the time to try again, by REST and gRPC; a watch finds its way back and misses no
    revision."""
    edge = stack.edge_url.removeprefix("http://")
    prompt = "watched without a gateway"
    await set_fault(stack, prompt, "run", arg="6")
    revisions: list[int] = []
    async with (
        Client(edge) as watcher,
        submitting(stack, "a fox while the gateway is killed", address=edge) as client,
    ):
        watched = await watcher.submit(prompt, model=FLUX, input=SMALL)

        async def watch() -> Job:
            job = Job()
            async for job in watcher.watch(watched.job_id):
                revisions.append(job.revision)
            return job

        watching = asyncio.create_task(watch())
        await client.more(5)
        await asyncio.to_thread(stack.kill, "gateway-1", restart=False)
        refused = await client.refused()
        await assert_rest_says_try_again(stack)
        assert (refused.code, bool(refused.retry_delay)) == ("UNAVAILABLE", True)
        await asyncio.to_thread(stack.start, "gateway-1")
        await client.more(5)
        last = await asyncio.wait_for(watching, PATIENCE)
    assert {each.code for each in client.refusals} == {"UNAVAILABLE"}
    assert last.state == Job.STATE_COMPLETED
    assert revisions == list(range(revisions[0], last.revision + 1))
    await client.completed()


async def test_without_an_edge_there_is_no_connection_and_later_there_is(stack: Stack) -> None:
    """gRPC's word for that is UNAVAILABLE too; the gateway's own port goes on."""
    edge = stack.edge_url.removeprefix("http://")
    async with (
        submitting(stack, "a fox while the edge is killed", address=edge) as client,
        submitting(stack, "a fox beside the edge") as beside,
    ):
        await client.more(3)
        await asyncio.to_thread(stack.kill, "edge", restart=False)
        assert (await client.refused()).code == "UNAVAILABLE"
        await beside.more(3)
        async with caller(stack) as http:
            with pytest.raises(httpx.ConnectError):
                await http.get("/api/v1/health")
        await asyncio.to_thread(stack.start, "edge")
        await client.more(3)
    await until(lambda: reachable(stack))
    assert {each.code for each in client.refusals} == {"UNAVAILABLE"}
    assert beside.refusals == []
    await client.completed()
    await beside.completed()
