"""A retry comes due while its work queue is not up, as in a broker's first seconds: when does it
come?

RabbitMQ keeps it (at-least-once), and tries again after a time that is three minutes unless it is
set. devstack/rabbitmq.py and the compose file set ten seconds.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from devstack.testing import Broker
from jobqueue.consumer import Slots, WorkConsumer
from jobqueue.delivery import Delivery
from jobqueue.topology import LADDER, work_queue
from servicekit.lifecycle import Background, Stop

from .publishing import publishing

QUEUE = work_queue("default")


@pytest.mark.timeout(120)
async def test_a_retry_that_finds_its_queue_down_comes_soon_after_it_is_up(
    broker: Broker, amqp_url: str
) -> None:
    """Its leader is stopped, a delay of one second passes, the leader is started."""
    handed: list[bytes] = []

    async def handle(delivery: Delivery) -> None:
        await delivery.ack()
        handed.append(delivery.body)

    # What a quorum queue's member is called within RabbitMQ.
    member = f"{{'{urlsplit(amqp_url).path[1:]}_{QUEUE}', node()}}"
    stop = Stop()
    async with Background(stop) as background, publishing(amqp_url) as publisher:
        consumer = WorkConsumer(amqp_url, QUEUE, handle, Slots(10))
        background.start("consumer", consumer.run(stop))
        await _eval(broker, f"ra:stop_server(quorum_queues, {member}).")
        bodies = [b"%d" % n for n in range(5)]
        await asyncio.gather(
            *(publisher.publish_retry(LADDER[0], "default", body, "") for body in bodies)
        )
        await asyncio.sleep(LADDER[0].seconds + 1)
        assert handed == []
        await _eval(broker, f"ra:restart_server(quorum_queues, {member}).")
        async with asyncio.timeout(60):
            while sorted(handed) != bodies:
                await asyncio.sleep(0.1)


async def _eval(broker: Broker, expression: str) -> None:
    assert await asyncio.to_thread(broker.node.control, "eval", expression) == "ok"
