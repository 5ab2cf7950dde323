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
    "show_progress", "complete_job", "fail_saving", "release_job", "lease_reconciler",
    "redrive_dead_letter", "discard_dead_letter",
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
)  # fmt: skip

WRITES = (*ASKED, *FACTS, *LOOPS)
STEPS = (*WRITES, *PUBLISHES)
NAMES = failpoints.names(STEPS, halfway=PUBLISHES)
