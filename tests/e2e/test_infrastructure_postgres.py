"""Postgres stops, restarts or is killed: the one outage that a client is told of.

Without it nothing can be acknowledged, so calls are UNAVAILABLE, soon, and say when to try again.
What was acknowledged before goes on at the provider, and is recorded once Postgres is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from devstack.testing import Broker, PostgresServer, Stack, postgres_server
from mediagen import Client, Job
from tests.e2e.api_calls import FLUX, SMALL, set_fault
from tests.e2e.outages import (
    PATIENCE,
    Refused,
    Submitter,
    assert_rest_says_try_again,
    health,
    stack_on,
    submitting,
    until,
)

pytestmark = pytest.mark.timeout(600)

RUN = 8  # seconds at the provider: longer than a lease


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of this module's own: what is killed here must be nobody else's."""
    with postgres_server(tmp_path_factory.mktemp("database")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(
    database: PostgresServer, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """One of each part, on that server; the store makes the schema."""
    vhost = broker.create_vhost()
    with stack_on(database.url, vhost, tmp_path_factory.mktemp("stack")) as running:
        yield running
    broker.delete_vhost(vhost)


def assert_retryable(refusals: list[Refused]) -> None:
    """Each said when to try again. There may be none: the gateway itself tries for a moment."""
    for each in refusals:
        assert (each.code, each.reason) == ("UNAVAILABLE", "UNAVAILABLE"), each
        assert each.retry_delay, each


async def test_a_stopped_postgres_is_unavailable_and_loses_nothing(
    stack: Stack, database: PostgresServer
) -> None:
    """Stopped while paid runs go on, for longer than a lease: they are adopted, not repeated. A
    watch stays open through it and misses no revision."""
    what = "a fox while postgres is stopped"
    await set_fault(stack, what, "run", arg=str(RUN))
    await set_fault(stack, "watched without postgres", "run", arg=str(RUN))
    revisions: list[int] = []
    async with Client(stack.gateway_address) as client:
        watched = await client.submit("watched without postgres", model=FLUX, input=SMALL)

        async def watch() -> None:
            async for job in client.watch(watched.job_id):
                revisions.append(job.revision)

        watching = asyncio.create_task(watch())
        async with submitting(stack, what) as caller:
            await caller.more(5)
            await until(lambda: _running(caller, 3))
            await asyncio.to_thread(database.supervised.stop, "postgres")
            try:
                await caller.refused()
                await assert_rest_says_try_again(stack)
                status, parts = await health(stack)
                assert (status, parts["store"], parts["database"]) == (
                    503,
                    "SERVING",
                    "NOT_SERVING",
                )
                await asyncio.sleep(RUN)
            finally:
                await asyncio.to_thread(database.supervised.start, "postgres")
            await caller.more(5)
        assert_retryable(caller.refusals)
        await caller.completed()
        await asyncio.wait_for(watching, PATIENCE)
        last = await client.get(watched.job_id)
    assert last.state == Job.STATE_COMPLETED
    assert revisions == list(range(revisions[0], last.revision + 1))


async def _running(caller: Submitter, least: int) -> bool:
    return sum(job.stage == Job.STAGE_PROCESSING for job in await caller.listed()) >= least


async def test_a_restarted_postgres_is_used_again(stack: Stack, database: PostgresServer) -> None:
    """As an update does it, under load: every connection ends, and none is used twice."""
    async with submitting(stack, "a fox while postgres restarts", pause=0.05) as caller:
        for _ in range(2):
            await caller.more(8)
            await asyncio.to_thread(database.supervised.restart, "postgres")
        await caller.more(8)
    assert_retryable(caller.refusals)
    await caller.completed()


async def test_a_killed_postgres_keeps_what_was_acknowledged(
    stack: Stack, database: PostgresServer
) -> None:
    """kill -9 under load, twice: a commit that was acknowledged is on the disk."""
    async with submitting(stack, "a fox while postgres is killed", pause=0.05) as caller:
        for _ in range(2):
            await caller.more(8)
            await asyncio.to_thread(database.supervised.kill, "postgres")
            await asyncio.to_thread(database.supervised.wait_ready, "postgres")
        await caller.more(8)
    assert_retryable(caller.refusals)
    await caller.completed()
