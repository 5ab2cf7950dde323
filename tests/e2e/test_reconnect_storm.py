"""A thousand streams lose their gateway at once, while the job that they follow goes on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from signal import Signals

import pytest

from bench.leased import Held, Workers
from bench.load import channel
from bench.requests import submit_request
from bench.storm import Fleet
from devstack.testing import Broker, PostgresServer, Stack
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub

STREAMS = 1000
GATEWAY, STORE = "gateway-1", "store-1"
READS = "/mediagen.store.v1.JobStoreService/Read"
UNUSED = ("edge", "generator-1", "notifier-1", "simulator")


@pytest.fixture(scope="module")
def bare_stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A store and a gateway, and nobody who works: the tests say what changes."""
    database, amqp = postgres.create_database(migrated), broker.create_vhost()
    env = {
        "DATABASE_URL": database,
        "AMQP_URL": amqp,
        "PROVIDER_CREATES_PER_MINUTE": "0",
        "LEASE_SECONDS": "600",
    }
    with Stack(tmp_path_factory.mktemp("storm"), without=UNUSED, env=env) as stack:
        yield stack
    postgres.drop_database(database)
    broker.delete_vhost(amqp)


class Followed:
    """A running job, the streams that follow it, and the revisions that each was sent."""

    def __init__(self, workers: Workers, held: Held, fleet: Fleet) -> None:
        self._workers = workers
        self._held = held
        self.fleet = fleet
        self.seen: dict[int, list[int]] = defaultdict(list)
        self.changes = 0

    async def change(self) -> None:
        """One more revision."""
        await self._workers.change([self._held])
        self.changes += 1

    async def all_have_all(self) -> None:
        """Waits until every stream has had as many revisions as there were changes, or more."""
        async with asyncio.timeout(60):
            while min(map(len, self.seen.values())) <= self.changes:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def followed(stack: Stack, streams: int) -> AsyncIterator[Followed]:
    """A job, with *streams* on it that are all live."""
    async with AsyncExitStack() as cleanup:
        gateway = await cleanup.enter_async_context(channel(stack.gateway_address))
        store = await cleanup.enter_async_context(channel(stack.store_address))
        answer = await GenerationServiceStub(gateway).SubmitJob(submit_request())
        workers = Workers(store, 1)
        (held,) = await workers.hold(stack.database_url.replace("+asyncpg", ""), 1)
        assert held.job_id == answer.job.job_id
        fleet = Fleet(
            stack.gateway_address,
            held.job_id,
            streams,
            lambda number, revision: made.seen[number].append(revision),
        )
        made = Followed(workers, held, fleet)
        running = asyncio.create_task(fleet.run())
        try:
            await fleet.until(streams)
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_one_event_costs_the_store_the_same_however_many_watch(bare_stack: Stack) -> None:
    """The gateway reads the feed and the forecasts as time goes by, for all of its streams."""
    async with followed(bare_stack, STREAMS // 4) as job:
        before = _reads(bare_stack)
        for _ in range(5):
            await job.change()
            await job.all_have_all()
        reads = _reads(bare_stack) - before
    assert reads < STREAMS // 10, "it grows with the streams"


@pytest.mark.parametrize("number", [Signals.SIGTERM, Signals.SIGKILL])
async def test_a_thousand_streams_go_on_with_the_next_gateway(
    bare_stack: Stack, number: Signals
) -> None:
    """UNAVAILABLE is all that a stream is told; nothing is lost over it, and nothing repeated."""
    async with followed(bare_stack, STREAMS) as job:
        await job.change()
        await job.all_have_all()
        await asyncio.to_thread(bare_stack.send, GATEWAY, number)
        for _ in range(10):
            await job.change()
            await asyncio.sleep(0.1)
        await job.fleet.until_ended(STREAMS)
        await job.fleet.until(STREAMS)
        await job.change()
        await job.all_have_all()
    assert set(job.fleet.ends) == {"UNAVAILABLE"}, job.fleet.ends
    assert len(job.seen) == STREAMS
    for revisions in job.seen.values():
        first = revisions[0]
        assert revisions == list(range(first, first + job.changes + 1))


def _reads(stack: Stack) -> int:
    """How often the gateway has read from the store for watches."""
    return stack.read_log(STORE).count(READS)
