"""Which call is a webhook's? Its URL ends with the token of the permit: a capability, never logged.

Replicate tells a prediction's webhook to us alone, but whether it shows it when the prediction is
listed is not documented: where it does, that says more than any input.
"""

from __future__ import annotations

import re

#: What is asked for: the start says that webhooks come, logs are shown, the end wakes the worker.
EVENTS = ("start", "logs", "completed")
PATH = "/api/v1/webhooks/replicate/"
_TOKEN = re.compile(re.escape(PATH) + r"([A-Za-z0-9._:-]{1,128})$")


def address(public_url: str, submit_token: str) -> str:
    """What the provider calls once it has the prediction."""
    return f"{public_url.rstrip('/')}{PATH}{submit_token}"


def token_of(webhook: object) -> str:
    """The token in a webhook's URL; empty if it is none of ours."""
    found = _TOKEN.search(webhook) if isinstance(webhook, str) else None
    return found[1] if found else ""
