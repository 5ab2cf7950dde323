"""The real parts that tests run against: Postgres, RabbitMQ, and the whole stack.

Nothing here reads the environment's real account, database or broker: `scrub_environment` takes
them out before the first test, and says so. After each test that used a database, every job in it
must still satisfy the invariants of `store.adapters.invariants`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.testing import (
    Broker,
    PostgresServer,
    Stack,
    postgres_server,
    rabbitmq_server,
    scrub_environment,
)

SCRUBBED = scrub_environment()


def pytest_report_header() -> str:
    """Says what tests do not touch."""
    return SCRUBBED


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One private Postgres for the session."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One private RabbitMQ for the session."""
    with rabbitmq_server(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database with the schema, made by the migrations: the template of the others."""
    from store.adapters.migrate import upgrade

    url = postgres.create_database()
    asyncio.run(upgrade(url))
    return url


@pytest.fixture
def database_url(postgres: PostgresServer, migrated: str) -> Iterator[str]:
    """A database of the test's own, in which every invariant must hold at the end."""
    from store.adapters.invariants import broken

    url = postgres.create_database(migrated)
    yield url
    lines = asyncio.run(broken(url))
    postgres.drop_database(url)
    assert not lines, "\n".join(lines)


@pytest.fixture
def amqp_url(broker: Broker) -> Iterator[str]:
    """A virtual host of the test's own."""
    url = broker.create_vhost()
    yield url
    broker.delete_vhost(url)


StackFactory = Callable[..., Stack]


@pytest.fixture
def start_stack(database_url: str, amqp_url: str, tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Starts the whole stack on the test's own database and virtual host."""
    running: list[Stack] = []

    def start(**options: object) -> Stack:
        env = {
            "DATABASE_URL": database_url,
            "AMQP_URL": amqp_url,
            "PROVIDER_CREATES_PER_MINUTE": "0",
            **(options.pop("env", None) or {}),  # type: ignore[dict-item]
        }
        stack = Stack(tmp_path / f"stack-{len(running)}", env=env, **options)  # type: ignore[arg-type]
        stack.__enter__()
        running.append(stack)
        return stack

    yield start
    for stack in reversed(running):
        stack.__exit__(None, None, None)
