"""Notifiers and stores are killed at every step of a webhook, and each event is posted anyway.

The matrix is notifier.failpoints.NAMES and what of store.failpoints.NAMES is about webhooks. A
process dies by SIGKILL at its failpoint and another takes over. Afterwards no delivery is left
open, and each post of a delivery had the same id and the same body. It was posted once more only
where the first post may have been heard.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack

import aio_pika
import pytest

import notifier.failpoints
import store.failpoints
from devstack.testing import Broker, PostgresServer, Stack
from jobqueue.topology import WEBHOOKS_DEAD
from store.adapters.invariants import broken

from .crashing import QUICK
from .deaths import Death, Matrix
from .hooks import WEBHOOK_STEPS

#: Webhooks are made with the numbers of the feed.
STORE_STEPS = (*WEBHOOK_STEPS, "number_events")
STORE_NAMES = tuple(
    name for name in store.failpoints.NAMES if name.partition("_")[2] in STORE_STEPS
)
NAMES = tuple(f"notifier: {name}" for name in notifier.failpoints.NAMES) + tuple(
    f"store: {name}" for name in STORE_NAMES
)


@pytest.fixture(scope="module")
def deaths(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Stack, dict[str, Death]]]:
    """Every failpoint has killed a process; then healthy ones have ended every delivery."""
    url, vhost = postgres.create_database(migrated), broker.create_vhost()
    env = {**QUICK, "DATABASE_URL": url, "AMQP_URL": vhost}
    folder, marks = tmp_path_factory.mktemp("crash"), tmp_path_factory.mktemp("marks")
    found = [Death(name, marks / re.sub(r"\W+", "-", name)) for name in NAMES]
    chosen = {
        item.callspec.params.get("name")
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
        if hasattr(item, "callspec")
    }
    found = [death for death in found if death.name in chosen] or found
    stack = Stack(folder, env=env, without=["store-1", "notifier-1"])
    matrix = Matrix(stack, env, found)
    with ExitStack() as ends:
        ends.enter_context(matrix)
        ends.enter_context(stack)
        asyncio.run(matrix.run())
        yield stack, {death.name: death for death in found}
    broker.delete_vhost(vhost)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_a_webhook_outlives_whoever_is_killed_there(
    deaths: tuple[Stack, dict[str, Death]], name: str
) -> None:
    """It is posted, under one id with one body, and its delivery ends."""
    _, found = deaths
    found[name].check()


async def test_what_can_not_be_read_is_parked(deaths: tuple[Stack, dict[str, Death]]) -> None:
    """Once, though who rejected it died; and every job and delivery has one mover."""
    stack, found = deaths
    assert await broken(stack.database_url) == []
    rejects = [death for death in found.values() if death.step == "reject"]
    connection = await aio_pika.connect_robust(stack.amqp_url)
    async with connection, connection.channel() as channel:
        queue = await channel.declare_queue(WEBHOOKS_DEAD.name, passive=True)
        assert queue.declaration_result.message_count == len(rejects)
