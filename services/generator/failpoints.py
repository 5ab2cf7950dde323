"""Which steps can a test stop the generator at? All that another party sees of it.

tests/unit/test_failpoints.py fails for a call, an upload or an ack that has none.
"""

from __future__ import annotations

from jobqueue.failpoints import SETTLEMENTS
from servicekit import failpoints
from servicekit.objects import WRITES

#: Calls to the store, by method.
LEDGER = (
    "claim_job", "begin_submit", "heartbeat", "release_job", "complete_job", "fail_saving",
    "record_prediction", "record_unknown", "record_not_created", "record_succeeded",
    "record_ended", "record_artifacts", "lease_reconciler", "report_scan",
)  # fmt: skip
#: The paid call. During: its last byte is sent, its answer is awaited.
PAID = ("create_prediction",)
#: The other requests to the provider, and to where its results lie.
PROVIDER = (
    "get_account", "get_model", "get_prediction", "cancel_prediction", "list_predictions",
    "fetch_output",
)  # fmt: skip

STEPS = (*LEDGER, *PAID, *PROVIDER, *WRITES, *SETTLEMENTS)
NAMES = failpoints.names(STEPS, halfway=PAID)
