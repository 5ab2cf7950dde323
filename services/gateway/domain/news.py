"""What does a webhook of the provider say, and must it be handed on?

Of what a model prints the provider sends all, twice a second; watchers see it once a second at
most. So of a call's webhooks that are not of its end, one a second goes on to the store. Nothing is
lost over it: each one brings the whole state, and the first and that of the end always go on.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOG_END = 1024
ENDED = frozenset({"succeeded", "failed", "canceled", "aborted"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class News:
    """The prediction as the webhook has it. *log_length* counts all characters of its log."""

    prediction_id: str
    status: str
    log_length: int = 0
    log_end: str = ""


def read(body: bytes) -> News | None:
    """None if it holds no prediction."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    identity = told.get("id") if isinstance(told, dict) else None
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        return None
    logs = _logs(told)
    return News(identity, _sendable(str(told.get("status"))[:20]), len(logs), logs[-LOG_END:])


def _logs(told: Mapping[str, Any]) -> str:
    found = told.get("logs")
    return _sendable(found).replace("\x00", "") if isinstance(found, str) else ""


def _sendable(text: str) -> str:
    """Half a surrogate, which JSON can spell and no message takes, becomes a question mark."""
    return text.encode(errors="replace").decode()


class HandedOn:
    """Whose webhooks went to the store a moment ago? As many as are remembered."""

    EVERY = 0.9  #: seconds; of the provider's twice a second, every other one
    MOST = 20_000

    def __init__(self) -> None:
        self._at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def just_now(self, token: str, news: News, now: float) -> bool:
        """The call's last one was, and this one is not of its end."""
        last = self._at.get((token, news.prediction_id))
        return last is not None and now - last < self.EVERY and news.status not in ENDED

    def note(self, token: str, news: News, now: float) -> None:
        """The store has taken it."""
        key = token, news.prediction_id
        self._at[key] = now
        self._at.move_to_end(key)
        if len(self._at) > self.MOST:
            self._at.popitem(last=False)
