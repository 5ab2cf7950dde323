"""How does the topology come to be, and on which brokers?"""

from __future__ import annotations

import asyncio
import re

import structlog
from aio_pika.abc import AbstractConnection

from jobqueue.topology import TOPOLOGY, Topology
from servicekit.lifecycle import ProcessFailed

log = structlog.get_logger()

OLDEST_BROKER = (3, 10)  # at-least-once dead-lettering
RPC_TIMEOUT = 10.0


class BrokerTooOld(ProcessFailed):
    """The broker would accept the queues' arguments and ignore what they ask for."""


async def declare(connection: AbstractConnection, topology: Topology = TOPOLOGY) -> None:
    """Declares *topology*, on a channel of its own. Declaring it again changes nothing.

    Raises BrokerTooOld, TimeoutError, or ChannelPreconditionFailed where a queue exists with
    other arguments.
    """
    check_version(connection)
    async with asyncio.timeout(2 * RPC_TIMEOUT), connection.channel() as channel:
        for exchange in topology.exchanges:
            await channel.declare_exchange(
                exchange.name,
                exchange.kind,
                durable=True,
                arguments=dict(exchange.arguments),
                timeout=RPC_TIMEOUT,
            )
        for queue in topology.queues:
            await channel.declare_queue(
                queue.name, durable=True, arguments=dict(queue.arguments), timeout=RPC_TIMEOUT
            )
        underlay = await channel.get_underlay_channel()
        for binding in topology.bindings:
            await underlay.queue_bind(
                binding.queue, binding.exchange, binding.key, timeout=RPC_TIMEOUT
            )


def check_version(connection: AbstractConnection) -> None:
    """Logs the broker's version and refuses one older than 3.10."""
    transport = connection.transport
    properties = transport.connection.server_properties if transport is not None else {}
    version = properties.get("version", "")
    text = version.decode() if isinstance(version, bytes) else str(version)
    log.info("broker.connected", product=_text(properties.get("product")), version=text)
    numbers = re.match(r"(\d+)\.(\d+)", text)
    if numbers is None:
        log.warning("broker.version_unknown", version=text)
    elif (int(numbers[1]), int(numbers[2])) < OLDEST_BROKER:
        raise BrokerTooOld(f"RabbitMQ {text} is too old: 3.10 or later is needed.")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
