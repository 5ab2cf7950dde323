"""Which steps with the broker can a test stop a process at? (servicekit/failpoints.py)"""

from __future__ import annotations

#: Before: not sent. During: sent, not confirmed. After: confirmed, and nobody was told.
PUBLISHES = (
    "publish_work", "publish_retry", "publish_dead", "publish_event", "publish_webhook",
    "publish_webhook_retry",
)  # fmt: skip
SETTLEMENTS = ("ack", "nack", "reject")
