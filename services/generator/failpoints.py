"""Which steps can a test stop the generator at? All that another party sees of it.

tests/unit/test_failpoints.py fails for a call, an upload or an ack that has none.
"""

from __future__ import annotations

from jobqueue.failpoints import SETTLEMENTS
from servicekit import failpoints
from servicekit.objects import DELETES, WRITES

#: Calls to the store, by method.
LEDGER = (
    "claim_job", "begin_submit", "heartbeat", "release_job", "complete_job", "fail_saving",
    "fail_unsent", "record_prediction", "record_unknown", "record_not_created", "record_succeeded",
    "record_ended", "record_artifacts", "lease_reconciler", "report_scan",
)  # fmt: skip
#: What workers do for the store beside jobs.
CHORES = (
    "take_due_models", "record_model", "take_doomed_objects", "record_deleted_objects",
)  # fmt: skip
#: The paid call. During: its last byte is sent, its answer is awaited.
PAID = ("create_prediction",)
#: The other requests to the provider, and to where its results lie.
PROVIDER = (
    "get_account", "get_model", "get_prediction", "cancel_prediction", "list_predictions",
    "fetch_output", "upload_file",
)  # fmt: skip
#: Objects that are stored beside the artifacts.
PICTURES = ("keep_preview", "keep_cover")

STEPS = (
    *LEDGER, *CHORES, *PAID, *PROVIDER, *PICTURES, *WRITES, *DELETES, *SETTLEMENTS,
)  # fmt: skip
NAMES = failpoints.names(STEPS, halfway=PAID)
