"""Which steps can a test stop the store at? Every write to the database, and every publish.

Each name in WRITES is one transaction: it stands at the one place that commits it, and
tests/unit/test_failpoints.py fails for a write without one.
"""

from __future__ import annotations

from jobqueue.failpoints import PUBLISHES
from servicekit import failpoints

#: What callers ask for.
ASKED = (
    "create_job", "cancel_job", "claim_job", "begin_submit", "see_worker", "keep_leases",
    "show_progress", "record_artifacts", "complete_job", "fail_saving", "fail_unsent",
    "release_job", "lease_reconciler", "redrive_dead_letter", "discard_dead_letter",
)  # fmt: skip
#: The catalogue of models, and files.
KEPT = (
    "seed_models", "want_model", "sync_models", "take_due_models", "record_model", "begin_upload",
    "complete_upload", "take_doomed_objects", "record_deleted_objects",
)  # fmt: skip
#: Facts about the provider.
FACTS = (
    "record_prediction", "record_unknown", "record_not_created", "record_succeeded",
    "record_ended", "weigh_evidence",
)  # fmt: skip
#: What the loops do by themselves.
LOOPS = (
    "admit_jobs", "lease_dispatches", "move_on_dispatches", "lease_letters", "move_on_letters",
    "number_events", "expire_lease", "note_deadline", "give_up_waiting", "expire_doubt", "forget",
    "expire_uploads", "delete_artifacts",
)  # fmt: skip
#: Webhooks to callers: asked for by their owners, by the notifier, and by the loops.
WEBHOOKS = (
    "create_webhook_endpoint", "update_webhook_endpoint", "pause_webhook_endpoint",
    "resume_webhook_endpoint", "delete_webhook_endpoint", "ping_webhook_endpoint",
    "keep_webhook_secret", "rotate_webhook_secret", "redeliver_webhook", "claim_delivery",
    "hold_delivery", "record_delivery", "lease_deliveries", "move_on_deliveries",
    "expire_deliveries", "let_go_deliveries", "forget_deliveries",
)  # fmt: skip

WRITES = (*ASKED, *KEPT, *FACTS, *LOOPS, *WEBHOOKS)
STEPS = (*WRITES, *PUBLISHES)
NAMES = failpoints.names(STEPS, halfway=PUBLISHES)
