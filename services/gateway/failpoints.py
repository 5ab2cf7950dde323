"""Which steps can a test stop the gateway at? Every call of the store that changes something.

tests/unit/test_failpoints.py fails for one that has none.
"""

from __future__ import annotations

from servicekit import failpoints

#: What callers ask for.
STEPS = ("create_job", "cancel_job", "redrive_dead_letters", "discard_dead_letters")
#: What the provider tells.
HEARD = ("record_prediction",)
NAMES = failpoints.names(STEPS)
HEARD_NAMES = failpoints.names(HEARD)
