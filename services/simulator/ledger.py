"""What would Replicate have billed, and what did the caller do? One entry per prediction.

Tests read it to prove that nothing was paid twice: `live` is the interval in which a prediction
could cost money, `answered` is False when the caller never saw the answer to its create.
"""

import hashlib
import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.archive import Prediction
from simulator.outputs import file_count
from simulator.predictions import Moment, observe
from simulator.sizing import asked
from simulator.wire import stamp

# US$ per second of the hardware behind official models, for runs that end before their output.
HARDWARE_RATE = 0.001525


def input_hash(given: Mapping[str, Any]) -> str:
    """sha256 of the input in canonical JSON."""
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def billed(prediction: Prediction, moment: Moment) -> float:
    """US$ so far: a success in full, a canceled run for its time, an aborted one nothing.

    A failed run costs its time on a community model and nothing on an official one, which is
    billed by the picture or by the second of film.
    """
    if not moment.terminal or moment.started_at is None:
        return 0.0
    seconds = (moment.completed_at or 0.0) - moment.started_at
    model = prediction.model
    if not model.official:
        return round(seconds * model.price, 6)
    if moment.status == "succeeded":
        film = model.makes == "film"
        units = float(asked(model, prediction.input, "duration")) if film else 1.0
        return round(model.price * units * file_count(prediction), 6)
    return round(seconds * HARDWARE_RATE, 6) if moment.status == "canceled" else 0.0


class Ledger:
    """Counts beside the predictions themselves; `reset` starts a new page."""

    def __init__(self) -> None:
        self.since = 0
        self.refused: Counter[str] = Counter()
        self.auth_leaks: deque[dict[str, Any]] = deque(maxlen=1000)
        self.webhooks: deque[dict[str, Any]] = deque(maxlen=1000)

    def reset(self, next_number: int) -> None:
        self.since = next_number
        self.refused.clear()
        self.auth_leaks.clear()
        self.webhooks.clear()

    def leak(self, path: str, header: str, now: float) -> None:
        """A token came with a file download. Kept: where, when, and a fingerprint."""
        fingerprint = hashlib.sha256(header.encode()).hexdigest()[:12]
        self.auth_leaks.append({"path": path, "at": stamp(now, 6), "fingerprint": fingerprint})

    def as_json(self, predictions: Iterable[Prediction], now: float, match: str) -> dict[str, Any]:
        """Every entry since the last reset, oldest first."""
        entries = [
            _entry(prediction, now)
            for prediction in predictions
            if prediction.number >= self.since and match in prediction.prompt
        ]
        return {
            "creates": len(entries),
            "billed": round(sum(entry["billed"] for entry in entries), 6),
            "predictions": entries,
            "refused": dict(self.refused),
            "auth_leaks": list(self.auth_leaks),
            "webhooks": list(self.webhooks),
        }


def _entry(prediction: Prediction, now: float) -> dict[str, Any]:
    moment = observe(prediction.plan, now)
    ended = moment.completed_at
    return {
        "id": prediction.id,
        "model": prediction.model.slug,
        "input": dict(prediction.input),
        "input_hash": input_hash(prediction.input),
        "created_at": stamp(prediction.plan.created_at, 6),
        "deadline": None if (due := prediction.plan.deadline) is None else stamp(due, 6),
        "status": moment.status,
        "error": moment.error,
        "billed": billed(prediction, moment),
        "answered": prediction.answered,
        "gets": prediction.gets,
        "cancels": prediction.cancels,
        "downloads": sum(prediction.downloads.values()),
        # What the caller sent for it: the create, GETs, cancels, and files asked for.
        "requests": 1 + prediction.gets + prediction.cancels + sum(prediction.asked.values()),
        "faults": dict(prediction.faults),
        "live": [
            stamp(prediction.plan.created_at, 6),
            None if ended is None else stamp(ended, 6),
        ],
    }
