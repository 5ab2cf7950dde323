"""Which exchanges and queues exist?

    publisher ─now.<class>─▶ jobs ──────────────▶ jobs.work.<class> ─▶ worker
    publisher ─<level>.<class>─▶ jobs.retry ─▶ jobs.retry.<level>        │ rejected, or delivered
                                                │ TTL, key kept          │ 20 times
                    jobs.work.<class> ◀─ jobs.due ◀┘                     ▼
                                          │ no such class ─────────▶ jobs.dead ─▶ jobs.dead
    publisher ─tenant.<id>, worker.<id>─▶ jobs.events ─▶ an exclusive queue per listener

RabbitMQ expires from a queue's head only, so a retry queue never mixes delays; and a queue's
arguments can not change, so the delay is in its name. Both `reject-publish` and a dead-letter
exchange are needed for at-least-once: without, it falls back to at-most-once in silence.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog
from aio_pika.abc import AbstractConnection

from servicekit.lifecycle import ProcessFailed

log = structlog.get_logger()

OLDEST_BROKER = (3, 10)  # at-least-once dead-lettering
RPC_TIMEOUT = 10.0
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Level:
    """One rung of the retry ladder: a queue that holds each message for *seconds*."""

    name: str
    seconds: float

    @property
    def milliseconds(self) -> int:
        return round(self.seconds * 1000)


@dataclass(frozen=True, slots=True)
class Exchange:
    name: str
    kind: Literal["topic", "fanout"]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Binding:
    queue: str
    exchange: str
    key: str


JOBS = Exchange("jobs", "topic")
RETRY = Exchange("jobs.retry", "topic")
# One message without a way on would block its whole retry queue (32 do); the alternate exchange
# parks it instead. Publishers do not use this exchange: it would make a lost message look routed.
DUE = Exchange("jobs.due", "topic", {"alternate-exchange": "jobs.dead"})
DEAD = Exchange("jobs.dead", "fanout")
EVENTS = Exchange("jobs.events", "topic")

CLASSES = ("default", "quarantine")

LADDER = (
    Level("1s", 1),
    Level("2s", 2),
    Level("4s", 4),
    Level("8s", 8),
    Level("15s", 15),
    Level("30s", 30),
    Level("1m", 60),
    Level("5m", 300),
    Level("15m", 900),
    Level("1h", 3600),
)


def level_for(delay: float) -> Level | None:
    """The longest level that is not longer than *delay* seconds; None below the shortest.

    The rest of the delay is waited where it can be exact: in the caller's own `available_at`.
    """
    fitting = [level for level in LADDER if level.seconds <= delay]
    return fitting[-1] if fitting else None


def work_queue(job_class: str) -> str:
    return f"jobs.work.{job_class}"


def retry_queue(level: Level) -> str:
    return f"jobs.retry.{level.name}"


def work_key(job_class: str) -> str:
    return f"now.{job_class}"


def retry_key(level: Level, job_class: str) -> str:
    """Kept through the dead-lettering, so that `*.<class>` finds the work queue."""
    return f"{level.name}.{job_class}"


@dataclass(frozen=True, slots=True)
class Topology:
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def _work(job_class: str) -> Queue:
    return Queue(
        work_queue(job_class),
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": 20,
            "x-dead-letter-exchange": DEAD.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def _retry(level: Level) -> Queue:
    return Queue(
        retry_queue(level),
        {
            "x-queue-type": "quorum",
            "x-message-ttl": level.milliseconds,
            "x-dead-letter-exchange": DUE.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


_PARKING_LOT = Queue(
    "jobs.dead",
    {
        "x-queue-type": "quorum",
        "x-message-ttl": 14 * _DAY_MS,
        "x-max-length": 100_000,
        "x-overflow": "drop-head",
    },
)

TOPOLOGY = Topology(
    exchanges=(DEAD, JOBS, RETRY, DUE, EVENTS),
    # Work queues first: they must exist before a retry can be due.
    queues=(
        _PARKING_LOT,
        *(_work(job_class) for job_class in CLASSES),
        *(_retry(level) for level in LADDER),
    ),
    bindings=(
        Binding(_PARKING_LOT.name, DEAD.name, ""),
        *(Binding(work_queue(c), JOBS.name, work_key(c)) for c in CLASSES),
        *(Binding(work_queue(c), DUE.name, f"*.{c}") for c in CLASSES),
        *(Binding(retry_queue(level), RETRY.name, f"{level.name}.*") for level in LADDER),
    ),
)


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
