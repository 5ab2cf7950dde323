"""A queue is deleted, unbound or full, a message comes twice: what becomes of the jobs?

Somebody cleaned up by hand, or set a policy. The store's rows are the truth; the queues are made
again, and a second copy of a message finds nothing to claim.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from jobqueue.topology import JOBS, work_key, work_queue
from mediagen import Client, Job
from mediagen.generator.v1.messages_pb2 import WorkMessage
from tests.e2e.api_calls import FLUX, SMALL, set_fault
from tests.e2e.outages import PATIENCE, assert_paid_once, stack_on, submitting, until

pytestmark = pytest.mark.timeout(600)

QUEUE = work_queue("default")
# A statement that is held back runs into the store's own time limit only after this long.
HOLD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';
CREATE TRIGGER hold BEFORE UPDATE OF published ON dispatches
    FOR EACH ROW EXECUTE FUNCTION hold();
"""
LET_GO = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'mediagen-store';
DROP TRIGGER hold ON dispatches;
DROP FUNCTION hold();
"""


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    migrated: str,
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """One of each part, on a virtual host of its own, where it is alone."""
    database, vhost = postgres.create_database(migrated), broker.create_vhost()
    with stack_on(database, vhost, tmp_path_factory.mktemp("stack")) as running:
        yield running
    broker.delete_vhost(vhost)


def vhost_of(stack: Stack) -> str:
    return urlsplit(stack.amqp_url).path.removeprefix("/")


@asynccontextmanager
async def channel(stack: Stack) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(stack.amqp_url) as connection:
        yield await connection.channel()


@asynccontextmanager
async def rows(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def waiting(stack: Stack) -> int:
    """How many messages are in the work queue."""
    async with channel(stack) as open_channel:
        declared = await open_channel.declare_queue(QUEUE, passive=True)
        return declared.declaration_result.message_count or 0


async def test_a_deleted_queue_is_made_again_and_no_job_is_lost(
    stack: Stack, broker: Broker
) -> None:
    """Deleted under load, with whatever was in it."""
    async with submitting(stack, "a fox while its queue is deleted") as caller:
        await caller.more(5)
        await asyncio.to_thread(broker.request, "DELETE", f"/queues/{vhost_of(stack)}/{QUEUE}")
        await caller.more(10)
    assert caller.refusals == []
    await caller.completed()


async def test_what_can_not_be_routed_is_sent_again_once_it_can(
    stack: Stack, broker: Broker
) -> None:
    """The binding is removed: the broker returns the message, the store binds again."""
    binding = f"/bindings/{vhost_of(stack)}/e/{JOBS.name}/q/{QUEUE}/{work_key('default')}"
    await asyncio.to_thread(broker.request, "DELETE", binding)
    async with submitting(stack, "a fox whose message finds no queue") as caller:
        await caller.more(5)
    assert caller.refusals == []
    await caller.completed()
    assert "unroutable" in stack.read_log("store-1")


async def test_a_full_queue_refuses_messages_and_no_job(stack: Stack, broker: Broker) -> None:
    """The broker says no to the store, the store yes to the client; each message comes later."""
    policy = f"/policies/{vhost_of(stack)}/full"
    await asyncio.to_thread(stack.stop, "generator-1")
    rule = {"pattern": f"^{QUEUE}$", "definition": {"max-length": 2}, "apply-to": "queues"}
    await asyncio.to_thread(broker.request, "PUT", policy, rule)
    try:
        async with submitting(stack, "a fox whose queue is full", pause=0) as caller:
            await caller.more(12)
        await until(lambda: "refused" in stack.read_log("store-1"))
        assert caller.refusals == []
        assert {job.state for job in await caller.listed()} == {Job.STATE_PENDING}
        await asyncio.to_thread(stack.start, "generator-1")
        await caller.completed()
    finally:
        await asyncio.to_thread(broker.request, "DELETE", policy)


async def test_a_message_that_comes_again_and_again_pays_once(stack: Stack) -> None:
    """While the job runs, and when it is done: nothing to claim, each time."""
    prompt = "a fox that is delivered eight times"
    await set_fault(stack, prompt, "run", arg="8")
    async with Client(stack.gateway_address) as client, channel(stack) as open_channel:
        job = await client.submit(prompt, model=FLUX, input=SMALL)
        jobs = await open_channel.get_exchange(JOBS.name, ensure=False)

        async def again(times: int) -> None:
            body = WorkMessage(job_id=job.job_id, dispatch=1).SerializeToString()
            for _ in range(times):
                await jobs.publish(aio_pika.Message(body), work_key("default"))

        await until(lambda: _submitted(client, job.job_id))
        async with rows(stack) as database:
            query = "SELECT dispatch FROM jobs WHERE job_id = $1"
            assert await database.fetchval(query, job.job_id) == 1
        await again(5)
        done = await client.wait(job.job_id, timeout=PATIENCE)
        await again(3)

        def refused() -> int:
            lines = stack.read_log("generator-1").splitlines()
            return sum("job.not_claimed" in line and job.job_id in line for line in lines)

        await until(lambda: refused() == 8)
        assert await client.get(job.job_id) == done
    assert (done.state, len(done.attempts)) == (Job.STATE_COMPLETED, 1)
    assert await waiting(stack) == 0
    await assert_paid_once(stack, {prompt}, prompt)


async def _submitted(client: Client, job_id: str) -> bool:
    return (await client.get(job_id)).stage in (Job.STAGE_STARTING, Job.STAGE_PROCESSING)


async def test_a_relay_killed_between_confirm_and_commit_publishes_twice_and_pays_once(
    stack: Stack,
) -> None:
    """The broker has confirmed, and the store dies before it could write that down: the same
    dispatch is published again, and one of the two finds nothing to claim."""
    await asyncio.to_thread(stack.stop, "generator-1")
    async with rows(stack) as database:
        await database.execute(HOLD)
        async with submitting(stack, "a fox that is published twice", pause=30) as caller:
            await caller.more(1)
            caller.stop()
            await until(lambda: waiting(stack))
            await asyncio.to_thread(stack.kill, "store-1", restart=False)
        await database.execute(LET_GO)
        assert await database.fetchval("SELECT sum(published) FROM dispatches") == 0
    await asyncio.to_thread(stack.start, "store-1")
    await until(lambda: _twice(stack))
    await asyncio.to_thread(stack.start, "generator-1")
    await caller.completed()
    await until(lambda: _none(stack))
    # Neither message was lost on the way: one of them was told that there is nothing to claim.
    assert any(
        "job.not_claimed" in line and caller.acknowledged[0] in line
        for line in stack.read_log("generator-1").splitlines()
    )


async def _twice(stack: Stack) -> bool:
    return await waiting(stack) == 2


async def _none(stack: Stack) -> bool:
    return await waiting(stack) == 0


def test_nothing_was_left_to_the_dead_letters(stack: Stack, broker: Broker) -> None:
    """No message of the tests above was given up."""
    queue = broker.request("GET", f"/queues/{vhost_of(stack)}/jobs.dead")
    assert queue.get("messages", 0) == 0
    ledger = httpx.get(f"{stack.simulator_url}/_simulator/ledger").json()
    assert ledger["auth_leaks"] == []
