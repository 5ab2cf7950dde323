"""RabbitMQ stops, dies, freezes, loses its data or its connections: what does a client notice?

Nothing but time. A submission is a row in Postgres, so it is acknowledged all the same, and what
the broker loses the store publishes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from signal import SIGCONT, SIGSTOP
from urllib.parse import quote

import asyncpg
import pytest

from devstack.testing import Broker, PostgresServer, Stack, rabbitmq_server
from mediagen import Client, Job
from tests.e2e.api_calls import caller as api
from tests.e2e.hooks import Owner
from tests.e2e.outages import PATIENCE, health, stack_on, submitting, until
from tests.receivers import receiver

pytestmark = pytest.mark.timeout(600)

LINKS = {"consumer of jobs.work.default", "store"}


@pytest.fixture(scope="module")
def mq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this module's own: what is killed here must be nobody else's."""
    with rabbitmq_server(tmp_path_factory.mktemp("mq")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    migrated: str,
    mq: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """One of each part, on that broker."""
    database = postgres.create_database(migrated)
    with stack_on(database, mq.url, tmp_path_factory.mktemp("stack")) as running:
        yield running


async def told(client: Client, job_id: str) -> tuple[list[int], Job]:
    """Every revision that a watcher is told, and the last of them."""
    revisions, job = [], Job()
    async for job in client.watch(job_id):
        revisions.append(job.revision)
    return revisions, job


async def test_while_rabbitmq_is_stopped_jobs_are_taken_and_wait(stack: Stack, mq: Broker) -> None:
    """No refusal, also over REST; health names the broker; a watch that was opened meanwhile tells
    every revision."""
    await asyncio.to_thread(mq.supervised.stop, "rabbitmq")
    try:
        async with submitting(stack, "a fox while rabbitmq is stopped") as caller:
            await caller.more(10)
        assert caller.refusals == []
        assert {job.state for job in await caller.listed()} == {Job.STATE_PENDING}
        status, parts = await health(stack)
        assert (status, parts["broker"], parts["store"]) == (200, "NOT_SERVING", "SERVING")
        async with Client(stack.gateway_address) as client:
            watch = asyncio.create_task(told(client, caller.acknowledged[0]))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(mq.supervised.start, "rabbitmq")
            revisions, last = await asyncio.wait_for(watch, PATIENCE)
    finally:
        await asyncio.to_thread(mq.supervised.start, "rabbitmq")
    assert revisions == list(range(revisions[0], last.revision + 1))
    await caller.completed()


async def test_without_rabbitmq_webhooks_wait(stack: Stack, mq: Broker) -> None:
    """What is to be posted while it is dead is posted once it is back: each under one id."""
    async with api(stack) as http, receiver() as there:
        owner = Owner(http)
        endpoint = await owner.endpoint(there.url)
        await owner.delivered(await owner.ping(endpoint))
        await asyncio.to_thread(mq.supervised.kill, "rabbitmq", restart=False)
        pings = [await owner.ping(endpoint) for _ in range(5)]
        assert len(there.requests) == 1
        await asyncio.to_thread(mq.supervised.start, "rabbitmq")
        for delivery_id in pings:
            log = await owner.delivered(delivery_id)
            assert [attempt["status_code"] for attempt in log["attempts"]] == [200]
        await owner.forget(endpoint)
    assert {each.headers["webhook-id"] for each in there.requests} > set(pings)


async def test_a_killed_rabbitmq_costs_no_submission_and_no_job(stack: Stack, mq: Broker) -> None:
    """kill -9 under load; submissions go on while it is away and when it is back."""
    async with submitting(stack, "a fox while rabbitmq is killed") as caller:
        await caller.more(5)
        await asyncio.to_thread(mq.supervised.kill, "rabbitmq")
        await caller.more(5)
        await asyncio.to_thread(mq.supervised.wait_ready, "rabbitmq")
        await caller.more(5)
    assert caller.refusals == []
    await caller.completed()


async def test_a_frozen_rabbitmq_is_noticed_and_found_again(stack: Stack, mq: Broker) -> None:
    """SIGSTOP until every part has given its connection up: nothing hangs for a caller."""
    missed = stack.read_log("generator-1").count("broker.unanswered")
    async with submitting(stack, "a fox while rabbitmq is frozen") as caller:
        await caller.more(5)
        mq.supervised.send("rabbitmq", SIGSTOP)
        try:
            await until(
                lambda: stack.read_log("generator-1").count("broker.unanswered") >= missed + 2
            )
            assert (await health(stack))[1]["broker"] == "NOT_SERVING"
            await caller.more(5)
        finally:
            mq.supervised.send("rabbitmq", SIGCONT)
    assert caller.refusals == []
    await caller.completed()


async def test_closed_connections_are_opened_again(stack: Stack, mq: Broker) -> None:
    """All of them, by an operator, three times under load."""

    def close() -> bool:
        found = mq.request("GET", "/connections")
        if not {each.get("user_provided_name") for each in found} >= LINKS:
            return False
        for each in found:
            mq.request("DELETE", f"/connections/{quote(each['name'], safe='')}")
        return True

    async with submitting(stack, "a fox while connections are closed") as caller:
        for _ in range(3):
            await caller.more(3)
            await until(lambda: asyncio.to_thread(close))
        await caller.more(3)
    assert caller.refusals == []
    await caller.completed()


async def test_an_empty_rabbitmq_gets_every_job_again(stack: Stack, mq: Broker) -> None:
    """Its data folder is gone, with messages that nobody had taken: the store's rows still stand,
    and are published again within a minute."""
    await asyncio.to_thread(stack.stop, "generator-1")
    async with submitting(stack, "a fox whose message is wiped", pause=0) as caller:
        await caller.more(20)
    await until(lambda: _published(stack, at_least=10))
    await asyncio.to_thread(mq.wipe)
    await asyncio.to_thread(stack.start, "generator-1")
    assert caller.refusals == []
    await caller.completed()


async def _published(stack: Stack, at_least: int) -> bool:
    """So many dispatches were confirmed by the broker and claimed by nobody."""
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        count = await connection.fetchval("SELECT count(*) FROM dispatches WHERE published > 0")
    finally:
        await connection.close()
    return int(count) >= at_least
