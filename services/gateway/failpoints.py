"""Which steps can a test stop the gateway at? Every change that it asks for, every object written.

tests/unit/test_failpoints.py fails for a change without one.
"""

from __future__ import annotations

from servicekit import failpoints, objects

#: What callers ask for.
STEPS = ("create_job", "cancel_job", "redrive_dead_letters", "discard_dead_letters")
#: What callers ask for about models, and the files that they take.
GIVEN = ("sync_models", "begin_upload", "complete_upload")
#: What the provider tells.
HEARD = ("record_prediction",)
#: What callers ask for about webhooks to them.
TOLD = (
    "create_webhook_endpoint", "update_webhook_endpoint", "pause_webhook_endpoint",
    "resume_webhook_endpoint", "delete_webhook_endpoint", "ping_webhook_endpoint",
    "rotate_webhook_secret", "redeliver_webhook",
)  # fmt: skip
NAMES = failpoints.names(STEPS)
TOLD_NAMES = failpoints.names(TOLD)
HEARD_NAMES = failpoints.names(HEARD)
GIVEN_NAMES = failpoints.names((*GIVEN, *objects.WRITES))
