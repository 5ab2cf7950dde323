"""Which steps can a test stop the notifier at? All that another party sees of it.

tests/unit/test_failpoints.py fails for a call, a post or an ack that has none.
"""

from __future__ import annotations

from jobqueue.failpoints import SETTLEMENTS
from servicekit import failpoints

#: Calls to the store, by method.
LEDGER = ("claim_delivery", "record_delivery")
#: The post. During: its last byte is sent, its answer is awaited.
POSTS = ("post_webhook",)

STEPS = (*LEDGER, *POSTS, *SETTLEMENTS)
NAMES = failpoints.names(STEPS, halfway=POSTS)
