"""All workers together make as many creates a minute as the account may, and no more.

The simulator enforces the limit, and its ledger says what came when. A rate here is that of the
limiter, from the first create to the last: the machine only has to do as many jobs, which is why
the limit is 180 a minute. RATE_TEST_LIMIT=600 RATE_TEST_JOBS=600 is what is promised.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from devstack.testing import Broker, PostgresServer, Stack
from mediagen import Client
from store.adapters import tables as t
from store.adapters.database import Database, PoolSettings
from store.adapters.invariants import broken

from .workers import Generator, calls, set_fault

LIMIT = int(os.environ.get("RATE_TEST_LIMIT", "180"))  # creates a minute
ENV = {
    "PROVIDER_CREATES_PER_MINUTE": str(LIMIT),
    "LEASE_SECONDS": "8",
    "RECONCILE_SETTLE": "1",
    "RECONCILE_SCAN_GAP": "1",
    "SIMULATOR_INSTANT": "1",
    "SIMULATOR_ENFORCE_LIMITS": "1",
    "SIMULATOR_CREATES_PER_MINUTE": str(LIMIT),
    # Our burst, and what three seconds in which a worker gets no CPU make of calls that are late.
    "SIMULATOR_CREATES_BURST": str(LIMIT / 60 * 4),
}
MODEL = "black-forest-labs/flux-schnell"
pytestmark = pytest.mark.timeout(360)  # the start of the stack counts


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Two stores and no generator: those are the tests' own."""
    url, vhost = postgres.create_database(migrated), broker.create_vhost()
    env = {**ENV, "DATABASE_URL": url, "AMQP_URL": vhost}
    without = ["generator-1", "edge"]
    with Stack(tmp_path_factory.mktemp("rate"), env=env, stores=2, without=without) as running:
        yield running
    lines = asyncio.run(broken(url))
    postgres.drop_database(url)
    broker.delete_vhost(vhost)
    assert not lines, "\n".join(lines)


class Workers:
    """Three generators on *stack*, shared out over its stores, and how many calls each made."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._logs = [folder / f"generator-{number}.log" for number in range(3)]
        addresses = stack.plan.store_addresses
        self._all = [
            Generator(
                stack,
                log,
                {
                    "STORE_ADDRESS": addresses[number % len(addresses)],
                    "GENERATOR_CONCURRENCY": "40",
                },
            )
            for number, log in enumerate(self._logs)
        ]
        self._running = ExitStack()

    def __enter__(self) -> list[Generator]:
        return [self._running.enter_context(each) for each in self._all]

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def made(self) -> list[int]:
        """How many calls each had made."""
        return [log.read_text().count("prediction.recorded") for log in self._logs]


async def submit(stack: Stack, prompt: str, count: int) -> None:
    """A backlog of *count* jobs."""
    numbers = iter(range(count))
    async with Client(stack.gateway_address) as client, asyncio.TaskGroup() as group:

        async def one_by_one() -> None:
            for number in numbers:
                await client.submit(f"{prompt} {number}", model=MODEL)

        for _ in range(10):
            group.create_task(one_by_one())


async def all_completed(stack: Stack, prompt: str, count: int) -> None:
    """Waits until *count* jobs of *prompt* are; fails when one ended otherwise."""
    state, number = t.jobs.c.state, sa.func.count().label("number")
    query = sa.select(state, number).where(t.jobs.c.prompt.startswith(prompt)).group_by(state)
    database = Database(stack.database_url, PoolSettings(size=1))
    states: dict[str, int] = {}
    try:
        async with asyncio.timeout(140):
            while states != {"COMPLETED": count}:
                await asyncio.sleep(1)
                async with database.single() as connection:
                    rows = (await connection.execute(query)).all()
                states = {row.state: row.number for row in rows}
                assert not {"FAILED", "CANCELED"} & set(states), states
    except TimeoutError:
        raise AssertionError(f"{states} at the end") from None
    finally:
        await database.close()


async def creates_reach(stack: Stack, prompt: str, count: int) -> None:
    async with asyncio.timeout(120):
        while len(await asyncio.to_thread(calls, stack, prompt)) < count:
            await asyncio.sleep(0.5)


def refused(stack: Stack) -> int:
    """How many 429s there were."""
    ledger = httpx.get(f"{stack.simulator_url}/_simulator/ledger", params={"match": "nothing"})
    return int(ledger.raise_for_status().json()["refused"].get("429", 0))


def times(stack: Stack, prompt: str) -> list[float]:
    """When the provider took each create, in seconds."""
    stamps = (str(call["created_at"]) for call in calls(stack, prompt))
    return sorted(datetime.fromisoformat(stamp).timestamp() for stamp in stamps)


def per_minute(moments: Sequence[float]) -> float:
    return (len(moments) - 1) / (moments[-1] - moments[0]) * 60


async def test_a_backlog_drains_at_the_limit_and_no_worker_starves(
    stack: Stack, tmp_path: Path
) -> None:
    """Two thirds of a minute's creates, three workers: 40 seconds, without one 429."""
    prompt, count = "a backlog", int(os.environ.get("RATE_TEST_JOBS", LIMIT * 2 // 3))
    await submit(stack, prompt, count)
    workers = Workers(stack, tmp_path)
    with workers:
        await all_completed(stack, prompt, count)
    made = times(stack, prompt)
    assert len(made) == count
    assert per_minute(made[count // 10 :]) >= 0.95 * LIMIT  # since all three were up
    assert refused(stack) == 0
    shares = workers.made()
    assert sum(shares) == count
    assert min(shares) >= count / 3 / 2, shares


async def test_a_429_halves_the_rate_for_all_and_it_comes_back_though_a_worker_dies(
    stack: Stack, tmp_path: Path
) -> None:
    """What the provider said is the account's, not the worker's that heard it."""
    prompt, count = "a rate that adapts", LIMIT * 2 // 3
    before = refused(stack)
    await submit(stack, prompt, count)
    workers = Workers(stack, tmp_path)
    with workers as running:
        await creates_reach(stack, prompt, LIMIT // 10)
        set_fault(stack, "429_with_retry_after", match=prompt, argument="2")
        while refused(stack) == before:
            await asyncio.sleep(0.1)
        told = datetime.now().timestamp()
        running[0].process.kill()
        await all_completed(stack, prompt, count)
    made = times(stack, prompt)
    assert len(made) == count
    assert refused(stack) == before + 1
    lowered = [moment for moment in made if told + 3 < moment < told + 18]
    assert 0.3 * LIMIT <= per_minute(lowered) <= 0.6 * LIMIT
    assert per_minute(made[-LIMIT // 10 :]) >= 0.75 * LIMIT
