"""Which webhook is meant, however it was said? Equal wishes become equal messages."""

from __future__ import annotations

from mediagen.v1.webhook_pb2 import WebhookTarget

# As WebhookTarget.events has them, in this order.
EVENTS = (
    "job.started",
    "job.retrying",
    "job.artifact_stored",
    "job.completed",
    "job.failed",
    "job.canceled",
)
DEFAULT_EVENTS = ("job.completed", "job.failed", "job.canceled")


def normalized(target: WebhookTarget) -> WebhookTarget:
    """*target* with the events it means, in their one order."""
    wanted = frozenset(target.events or DEFAULT_EVENTS)
    return WebhookTarget(url=target.url, events=[each for each in EVENTS if each in wanted])
