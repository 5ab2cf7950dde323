"""One node of a three-node RabbitMQ dies under load: is any job lost?

Each quorum queue has a member on every node, so two are a majority and go on. Every process knows
all three (AMQP_URL) and goes over to the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest

from devstack.rabbitmq_cluster import Cluster, rabbitmq_cluster
from devstack.testing import PostgresServer, Stack
from tests.e2e.outages import stack_on, submitting, until

pytestmark = pytest.mark.timeout(600)

QUEUE = "jobs.work.default"
# The worker, the relay, and the hub of the gateway.
LINKS = ("consumer of jobs.work.default", "store", "events of ")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with rabbitmq_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    migrated: str,
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """One of each part, on that cluster."""
    database = postgres.create_database(migrated)
    with stack_on(database, cluster.url, tmp_path_factory.mktemp("stack")) as running:
        yield running


async def test_a_cluster_that_loses_a_node_loses_no_job(stack: Stack, cluster: Cluster) -> None:
    """kill -9 to the node that leads the work queue; everybody is connected to the first one, so
    that dies too. Each comes back before the other goes."""
    nodes = cluster.supervised
    async with submitting(stack, "a fox while a node dies") as caller:
        await caller.more(5)
        queue = await asyncio.to_thread(cluster.queue, QUEUE)
        assert len(queue["members"]) == len(queue["online"]) == 3
        for part in dict.fromkeys(["rabbitmq-1", cluster.part_of(queue["leader"])]):
            await asyncio.to_thread(nodes.kill, part, restart=False)
            await caller.more(10)
            await until(partial(asyncio.to_thread, gone_over, cluster, part))
            await asyncio.to_thread(nodes.start, part)
            await until(partial(asyncio.to_thread, whole, cluster))
        await caller.more(5)
    assert caller.refusals == []
    await caller.completed()


def gone_over(cluster: Cluster, dead: str) -> bool:
    """Every link has a connection to a node that lives."""
    alive = [broker for broker in cluster.brokers if cluster.part_of(broker.node.name) != dead]
    nodes = {broker.node.name for broker in alive}
    names = [
        each.get("user_provided_name", "")
        for each in alive[0].request("GET", "/connections")
        if each["node"] in nodes
    ]
    return all(any(name.startswith(link) for name in names) for link in LINKS)


def whole(cluster: Cluster) -> bool:
    """The queue's three members are there again."""
    return len(cluster.queue(QUEUE)["online"]) == 3
