"""Which exchanges and queues exist?

    publisher ─now.<class>─▶ jobs ──────────────▶ jobs.work.<class> ─▶ worker
    publisher ─<level>.<class>─▶ jobs.retry ─▶ jobs.retry.<level>        │ rejected, or delivered
                                                │ TTL, key kept          │ 20 times
                    jobs.work.<class> ◀─ jobs.due ◀┘                     ▼
                                          │ no such class ─────────▶ jobs.dead ─▶ jobs.dead
    publisher ─tenant.<id>, worker.<id>─▶ jobs.events ─▶ an exclusive queue per listener

Deliveries of webhooks go the jobs' way, through exchanges and queues of their own: webhooks,
webhooks.retry, webhooks.due, webhooks.dead, webhooks.work, webhooks.retry.<level>.

RabbitMQ expires from a queue's head only, so a retry queue never mixes delays; and a queue's
arguments can not change, so the delay is in its name. Both `reject-publish` and a dead-letter
exchange are needed for at-least-once: without, it falls back to at-most-once in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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

WEBHOOKS = Exchange("webhooks", "topic")
WEBHOOKS_RETRY = Exchange("webhooks.retry", "topic")
WEBHOOKS_DUE = Exchange("webhooks.due", "topic", {"alternate-exchange": "webhooks.dead"})
WEBHOOKS_DEAD = Exchange("webhooks.dead", "fanout")

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
# Fewer rungs: the waits between the posts of a delivery are known, and a queue is not for nothing.
WEBHOOK_LADDER = (
    Level("5s", 5),
    Level("30s", 30),
    Level("2m", 120),
    Level("10m", 600),
    Level("1h", 3600),
)


def level_for(delay: float, ladder: Sequence[Level] = LADDER) -> Level | None:
    """The longest level of *ladder* not longer than *delay* seconds; None below the shortest.

    The rest of the delay is waited where it can be exact: in the caller's own `available_at`.
    """
    fitting = [level for level in ladder if level.seconds <= delay]
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


#: Deliveries are of one class: this takes its place in their keys.
WEBHOOK = "webhook"
WEBHOOK_QUEUE = "webhooks.work"


def webhook_retry_queue(level: Level) -> str:
    return f"webhooks.retry.{level.name}"


@dataclass(frozen=True, slots=True)
class Topology:
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def _work(name: str, dead: Exchange) -> Queue:
    return Queue(
        name,
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": 20,
            "x-dead-letter-exchange": dead.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def _retry(name: str, level: Level, due: Exchange) -> Queue:
    return Queue(
        name,
        {
            "x-queue-type": "quorum",
            "x-message-ttl": level.milliseconds,
            "x-dead-letter-exchange": due.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def _parking_lot(name: str) -> Queue:
    return Queue(
        name,
        {
            "x-queue-type": "quorum",
            "x-message-ttl": 14 * _DAY_MS,
            "x-max-length": 100_000,
            "x-overflow": "drop-head",
        },
    )


_DEAD_JOBS = _parking_lot("jobs.dead")
_DEAD_DELIVERIES = _parking_lot("webhooks.dead")

TOPOLOGY = Topology(
    exchanges=(
        DEAD, JOBS, RETRY, DUE, EVENTS, WEBHOOKS_DEAD, WEBHOOKS, WEBHOOKS_RETRY, WEBHOOKS_DUE,
    ),
    # Work queues first: they must exist before a retry can be due.
    queues=(
        _DEAD_JOBS,
        *(_work(work_queue(job_class), DEAD) for job_class in CLASSES),
        *(_retry(retry_queue(level), level, DUE) for level in LADDER),
        _DEAD_DELIVERIES,
        _work(WEBHOOK_QUEUE, WEBHOOKS_DEAD),
        *(_retry(webhook_retry_queue(lv), lv, WEBHOOKS_DUE) for lv in WEBHOOK_LADDER),
    ),
    bindings=(
        Binding(_DEAD_JOBS.name, DEAD.name, ""),
        *(Binding(work_queue(c), JOBS.name, work_key(c)) for c in CLASSES),
        *(Binding(work_queue(c), DUE.name, f"*.{c}") for c in CLASSES),
        *(Binding(retry_queue(level), RETRY.name, f"{level.name}.*") for level in LADDER),
        Binding(_DEAD_DELIVERIES.name, WEBHOOKS_DEAD.name, ""),
        Binding(WEBHOOK_QUEUE, WEBHOOKS.name, work_key(WEBHOOK)),
        Binding(WEBHOOK_QUEUE, WEBHOOKS_DUE.name, f"*.{WEBHOOK}"),
        *(
            Binding(webhook_retry_queue(lv), WEBHOOKS_RETRY.name, f"{lv.name}.*")
            for lv in WEBHOOK_LADDER
        ),
    ),
)  # fmt: skip
